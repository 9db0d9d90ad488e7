/**
 * When an alarm of the template rings, as CloudWatch decides it. Only the two forms that the archive uses are known, and anything
 * else throws, so that the answer is exact. In both forms an alarm depends only on whether one datapoint in the window is on the
 * right side of the threshold: the highest value of a period is above it where one of its values is.
 *
 * What AWS does not document is tried in both ways: the windows end at the instant of the evaluation, or at the end of its hour.
 * `FILL` is taken at its word: hours before the alarm or the metric existed count as 0 too.
 */
import type { Datapoint } from '../support/emf';

export type AlarmProperties = Readonly<Record<string, unknown>>;

export const STEP_MS = 300_000;

export interface Ringing {
  readonly from: number;
  /** Infinity where it rings until the end. */
  readonly to: number;
}

interface TimeSpan {
  readonly from: number;
  readonly to: number;
}

export type Windows = 'sliding' | 'by the hour';

export function ringingsOf(
  alarm: AlarmProperties,
  datapoints: readonly Datapoint[],
  { from, to, windows }: TimeSpan & { readonly windows: Windows },
): Ringing[] {
  const { metric, lengthMs, isSilence, threshold } = read(alarm);
  const times = datapoints
    .filter((point) => isOf(point, metric) && (isSilence ? point.value >= threshold : point.value > threshold))
    .map(({ at }) => at)
    .sort((a, b) => a - b);
  const ringings: { from: number; to: number }[] = [];
  let next = 0;
  let isRinging = false;
  for (let now = from; now <= to; now += STEP_MS) {
    while ((times[next] ?? Infinity) <= now) next += 1;
    const end = windows === 'sliding' ? now : Math.ceil((now + 1) / metric.periodMs) * metric.periodMs;
    const isThere = next > 0 && (times[next - 1] ?? 0) > end - lengthMs;
    if (isThere === isSilence && isRinging) (ringings.at(-1) ?? { to: 0 }).to = now;
    if (isThere !== isSilence && !isRinging) ringings.push({ from: now, to: Infinity });
    isRinging = isThere !== isSilence;
  }
  return ringings;
}

interface Metric {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions?: readonly { readonly Name: string; readonly Value: string }[];
}

interface Form {
  readonly metric: Metric & { readonly periodMs: number };
  readonly lengthMs: number;
  readonly isSilence: boolean;
  readonly threshold: number;
}

function read(alarm: AlarmProperties): Form {
  const { AlarmName, AlarmDescription, AlarmActions, Metrics, ...rest } = alarm;
  return Metrics === undefined ? readEmitted(rest) : readSilent({ ...rest, Metrics });
}

/** Rings where a value above the threshold was emitted in one of N periods. */
function readEmitted(alarm: AlarmProperties): Form {
  const { Namespace, MetricName, Dimensions, Period, Threshold, EvaluationPeriods, ...form } = alarm;
  const known = { Statistic: 'Maximum', ComparisonOperator: 'GreaterThanThreshold', DatapointsToAlarm: 1 };
  expectForm(form, { ...known, TreatMissingData: 'notBreaching' });
  const metric = { Namespace, MetricName, Dimensions, periodMs: Number(Period) * 1000 } as Form['metric'];
  const lengthMs = Number(EvaluationPeriods) * metric.periodMs;
  return { metric, lengthMs, isSilence: false, threshold: Number(Threshold) };
}

/** Rings where no value of at least the threshold was emitted in any of N periods. */
function readSilent(alarm: AlarmProperties): Form {
  const { Metrics, Threshold, EvaluationPeriods, DatapointsToAlarm, ...form } = alarm;
  expectForm(form, { ComparisonOperator: 'LessThanThreshold', TreatMissingData: 'breaching' });
  if (DatapointsToAlarm !== EvaluationPeriods || !(Number(Threshold) > 0)) throw new Error('not N of N of zero');
  const [fill, m, ...others] = Metrics as readonly Readonly<Record<string, unknown>>[];
  const stat = m?.MetricStat as { Metric: Metric; Period: number };
  expectForm({ ...fill, Id: '' }, { Id: '', Expression: 'FILL(m, 0)', ReturnData: true });
  expectForm({ ...m, MetricStat: '' }, { Id: 'm', MetricStat: '', ReturnData: false });
  expectForm(
    { ...stat, Metric: '', Period: '', others: others.length },
    { Stat: 'Maximum', Metric: '', Period: '', others: 0 },
  );
  const periodMs = stat.Period * 1000;
  const lengthMs = Number(EvaluationPeriods) * periodMs;
  return { metric: { ...stat.Metric, periodMs }, lengthMs, isSilence: true, threshold: Number(Threshold) };
}

function expectForm(actual: object, expected: object): void {
  const text = (value: object) => JSON.stringify(Object.entries(value).sort());
  if (text(actual) !== text(expected)) throw new Error(`the drill does not know this form: ${text(actual)}`);
}

function isOf(point: Datapoint, { Namespace, MetricName, Dimensions = [] }: Metric): boolean {
  const wanted = Dimensions.map(({ Name, Value }) => `${Name}=${Value}`).sort();
  const actual = Object.entries(point.dimensions).map(([name, value]) => `${name}=${value}`);
  return point.namespace === Namespace && point.name === MetricName && wanted.join() === actual.sort().join();
}
