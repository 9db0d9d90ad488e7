/** The verifier's CloudWatch metrics, written to the log in embedded metric format. They are of the whole archive. */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRIC_NAMESPACE, metricNames } from '../shared/contract';

export function emitVerified({ findings, unverifiedHours }: { findings: number; unverifiedHours: number }): void {
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE });
  metrics.clearDefaultDimensions();
  metrics.addMetric(metricNames.unverifiedHours, MetricUnit.NoUnit, unverifiedHours);
  if (findings > 0) metrics.addMetric(metricNames.findings, MetricUnit.Count, findings);
  metrics.publishStoredMetrics();
}
