/**
 * The drill: the alarms of the real template, at what the real handlers log. Each scenario is played against every alarm, so that
 * an alarm which should be quiet is. Then each property of each alarm is broken, and a scenario must notice it.
 */
import { archiveMetrics, teamMetrics } from '../../lambdas/shared/alarms';
import { HOUR_MS } from '../../lambdas/shared/time';
import { deploy } from '../support/deployed';
import { only, synthesise } from '../support/synthesised';
import { type AlarmProperties, type Ringing, ringingsOf, STEP_MS, type Windows } from './cloudwatch';
import { END, FORMER, playScenarios, type Scenario, START, schedules } from './scenarios';

interface Metric {
  readonly Namespace?: string;
  readonly MetricName?: string;
  readonly Dimensions: readonly { readonly Name: string; readonly Value: string }[];
}

interface Alarm extends Metric, AlarmProperties {
  readonly AlarmName: string;
  readonly Period: number;
  readonly EvaluationPeriods: number;
  readonly DatapointsToAlarm: number;
  readonly Threshold: number;
  readonly Metrics?: readonly [unknown, { readonly MetricStat: { readonly Metric: Metric; readonly Period: number } }];
}

const teams = Object.entries(schedules).map(([name, schedule]) => ({ name, schedule }));
const { template } = synthesise({ teams, formerTeams: [FORMER] });
const { filled } = deploy(template);
const alarms = Object.values(template.findResources('AWS::CloudWatch::Alarm')).map(
  ({ Properties }) => filled(Properties) as Alarm,
);
const { properties: archiver } = only(template, 'AWS::Lambda::Function', 'Archiver');
let scenarios: Readonly<Record<string, Scenario>>;

beforeAll(async () => {
  scenarios = await playScenarios(filled(archiver.Environment.Variables) as Record<string, string>);
}, 300_000);

const names = [
  'all is well',
  'an hourly team fails for weeks',
  'a team of every 15 minutes fails for weeks',
  'a daily team fails for weeks',
  'a team of weekdays fails for weeks',
  'a weekly team fails for weeks',
  'nothing ever runs',
  'a team is not configured yet',
  'time was lost',
  'a key is refused until Postman will soon forget',
  'runs fail, and an invented team is archived',
  'the form of the lines changes',
  'the verifier finds a planted object on four days',
  'a run finds a hole in the chain',
  'a trigger is lost',
];

test('every scenario is played', () => {
  expect(Object.keys(scenarios).sort()).toEqual(names.toSorted());
});

test('every metric is emitted by a handler, and read by an alarm', () => {
  const emitted = Object.values(scenarios).flatMap(({ datapoints }) => datapoints.map(({ name }) => name));
  const read = alarms.map((alarm) => alarm.MetricName ?? alarm.Metrics?.[1].MetricStat.Metric.MetricName);
  const known = [...Object.values(teamMetrics), ...Object.values(archiveMetrics), 'ApproximateNumberOfMessagesVisible'];
  expect([...new Set(emitted)].sort()).toEqual(known.toSorted());
  expect([...new Set(read)].sort()).toEqual(known.toSorted());
});

test('the age of the newest manifest of a team that left is told as long as the archive is there, and rings no alarm', () => {
  const { datapoints, expected } = scenarios['all is well'] ?? { datapoints: [], expected: {} };
  const ages = datapoints.filter(
    ({ name, dimensions: { team } }) => name === teamMetrics.manifestAge && team === FORMER,
  );
  expect(ages.at(-1)?.value).toBeGreaterThan(45 * 24);
  expect(Object.keys(expected).filter((id) => id.includes(FORMER))).toEqual([]);
});

test.each(names)('the right alarms ring and clear at the right time, and no others, when %s', (name) => {
  for (const windows of ['sliding', 'by the hour'] as const) {
    const found = alarms.flatMap((alarm) => troubles(alarm, scenarios[name], windows));
    expect([windows, found]).toEqual([windows, []]);
  }
});

const mutations: Readonly<Record<string, (alarm: Alarm) => AlarmProperties>> = {
  'another namespace': (alarm) => withMetric(alarm, () => ({ Namespace: 'Other' })),
  'another metric': (alarm) => withMetric(alarm, () => ({ MetricName: 'Other' })),
  'no dimension': (alarm) => withMetric(alarm, () => ({ Dimensions: [] })),
  'one more dimension': (alarm) => withDimensions(alarm, (all) => [...all, { Name: 'service', Value: 'archiver' }]),
  'another name of a dimension': (alarm) => withDimensions(alarm, (all) => all.map((each) => ({ ...each, Name: 'x' }))),
  'another value of a dimension': (alarm) =>
    withDimensions(alarm, (all) => all.map((each) => ({ ...each, Value: 'x' }))),
  'a longer period': (alarm) => withPeriod(alarm, 2),
  'a shorter period': (alarm) => withPeriod(alarm, 0.5),
  'more periods': (alarm) => withPeriods(alarm, alarm.EvaluationPeriods + 3),
  'fewer periods': (alarm) => withPeriods(alarm, alarm.EvaluationPeriods - 2),
  'a higher threshold': (alarm) => ({ ...alarm, Threshold: alarm.Threshold * 2 + 1 }),
  'more datapoints to alarm': (alarm) => ({ ...alarm, DatapointsToAlarm: alarm.DatapointsToAlarm + 1 }),
  'another treatment of missing data': (alarm) => ({ ...alarm, TreatMissingData: 'missing' }),
  'another comparison': (alarm) => ({ ...alarm, ComparisonOperator: 'GreaterThanOrEqualToThreshold' }),
};

test.each(Object.entries(mutations))('the drill notices %s, whichever alarm has it', (_, mutate) => {
  // No scenario lets this one ring: it is here because its team has a run.
  const drilled = alarms.filter(({ AlarmName }) => !AlarmName.endsWith('silent/lost'));
  expect(drilled.filter((alarm) => !isNoticed(mutate(alarm))).map(({ AlarmName }) => AlarmName)).toEqual([]);
});

/** A form that the evaluator does not know is noticed too. */
function isNoticed(alarm: AlarmProperties): boolean {
  try {
    return Object.values(scenarios).some((scenario) => troubles(alarm, scenario, 'sliding').length > 0);
  } catch {
    return true;
  }
}

/** An alarm must ring within a step of the evaluation. Windows by the hour may end up to an hour sooner. */
function troubles(alarm: AlarmProperties, scenario: Scenario | undefined, windows: Windows): string[] {
  if (scenario === undefined) throw new Error('no such scenario');
  const id = String(alarm.AlarmName).replace('postman-audit-archive/', '');
  const expected = scenario.expected[id] ?? [];
  const actual = ringingsOf(alarm, scenario.datapoints, { from: START, to: END, windows });
  const sooner = windows === 'sliding' ? 0 : HOUR_MS;
  const isAt = (time: number, wanted = 0) => time === wanted || (time >= wanted - sooner && time <= wanted + STEP_MS);
  const isRight =
    actual.length === expected.length &&
    actual.every(({ from, to }, i) => isAt(from, expected[i]?.from) && isAt(to, expected[i]?.to));
  return isRight ? [] : [`${id} rings ${told(actual)} and not ${told(expected)}`];
}

function told(ringings: readonly Ringing[]): string {
  const text = (time: number) => (time === Infinity ? 'the end' : new Date(time).toISOString().slice(0, 16));
  return ringings.map(({ from, to }) => `from ${text(from)} to ${text(to)}`).join(', ') || 'never';
}

function withMetric(alarm: Alarm, change: (metric: Metric) => Partial<Metric>): AlarmProperties {
  if (alarm.Metrics === undefined) return { ...alarm, ...change(alarm) };
  const [fill, m] = alarm.Metrics;
  const Metric = { ...m.MetricStat.Metric, ...change(m.MetricStat.Metric) };
  return { ...alarm, Metrics: [fill, { ...m, MetricStat: { ...m.MetricStat, Metric } }] };
}

function withDimensions(alarm: Alarm, change: (all: Metric['Dimensions']) => Metric['Dimensions']): AlarmProperties {
  return withMetric(alarm, ({ Dimensions }) => ({ Dimensions: change(Dimensions) }));
}

function withPeriod(alarm: Alarm, factor: number): AlarmProperties {
  if (alarm.Metrics === undefined) return { ...alarm, Period: alarm.Period * factor };
  const [fill, m] = alarm.Metrics;
  return { ...alarm, Metrics: [fill, { ...m, MetricStat: { ...m.MetricStat, Period: m.MetricStat.Period * factor } }] };
}

function withPeriods(alarm: Alarm, EvaluationPeriods: number): AlarmProperties {
  return { ...alarm, EvaluationPeriods, ...(alarm.Metrics && { DatapointsToAlarm: EvaluationPeriods }) };
}
