/**
 * The archiver's CloudWatch metrics, written to the log in embedded metric format. Counts and gaps are written with each
 * committed manifest, so that they are not lost where the run fails later. The only dimension is the team.
 */
import { Metrics, MetricUnit } from '@aws-lambda-powertools/metrics';
import { METRIC_NAMESPACE, metricNames } from '../shared/contract';
import type { Manifest } from '../shared/manifest';

export function emitCommitted({ team, counts, gaps, sweeps, run, position }: Manifest): void {
  const quarantined = Object.values(counts.quarantined).reduce((sum, lines) => sum + lines, 0);
  emit(team, {
    [metricNames.eventsArchived]: counts.events,
    [metricNames.eventsLate]: counts.late,
    [metricNames.quarantined]: quarantined,
    [metricNames.revisions]: counts.revisions,
    [metricNames.requests]: counts.requests,
    [metricNames.gaps]: gaps.length,
    [metricNames.sweepMissing]: sweeps.reduce((sum, { missing }) => sum + missing, 0),
    [metricNames.sweepChanged]: sweeps.reduce((sum, { changed }) => sum + changed, 0),
    [metricNames.positionLag]: (Date.parse(run.finished) - Date.parse(position)) / 1000,
  });
}

/**
 * Called at the end of a run, except where the run left its work to another run. `throttled` is the number of responses with
 * status 429. The metric of an alarm on drift is written only where the form of the source's lines has changed.
 */
export function emitOutcome(team: string, outcome: 'succeeded' | 'failed', { throttled, hasDrifted }: Signs): void {
  emit(team, {
    [metricNames[outcome]]: 1,
    [metricNames.throttled]: throttled,
    ...(hasDrifted && { [metricNames.drift]: 1 }),
  });
}

export interface Signs {
  readonly throttled: number;
  readonly hasDrifted: boolean;
}

function emit(team: string, values: Readonly<Record<string, number>>): void {
  const metrics = new Metrics({ namespace: METRIC_NAMESPACE });
  // Powertools adds a dimension `service` of its own, which no alarm names.
  metrics.clearDefaultDimensions();
  metrics.addDimension('team', team);
  for (const [name, value] of Object.entries(values)) {
    metrics.addMetric(name, name === metricNames.positionLag ? MetricUnit.Seconds : MetricUnit.Count, value);
  }
  metrics.publishStoredMetrics();
}
