/** CloudWatch metrics, written to the log in embedded metric format. CloudWatch reads them there, so no call can fail. */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { type archiveMetrics, dimensions, METRIC_NAMESPACE, type teamMetrics } from '../shared/alarms';

type NameIn<Names> = Names[keyof Names];

export function emitForArchive(name: NameIn<typeof archiveMetrics>, value: number, bucket: string): void {
  emit(name, value, { [dimensions.bucket]: bucket });
}

export function emitForTeam(
  name: NameIn<typeof teamMetrics>,
  value: number,
  { bucket, team }: { readonly bucket: string; readonly team: string },
): void {
  emit(name, value, { [dimensions.bucket]: bucket, [dimensions.team]: team });
}

function emit(name: string, value: number, of: Readonly<Record<string, string>>): void {
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE });
  // Powertools adds a dimension `service` of its own, which no alarm names.
  metrics.clearDefaultDimensions();
  metrics.addDimensions({ ...of });
  metrics.addMetric(name, MetricUnit.NoUnit, value);
  metrics.publishStoredMetrics();
}
