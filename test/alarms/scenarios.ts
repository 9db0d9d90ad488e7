/**
 * What may happen to an archive of five teams, and of one that left, in seven weeks: the datapoints that are emitted, and the alarms that must ring. Each
 * kind of log line comes from the real handlers, and a schedule repeats it. The teams whose newest manifest the verifier watches
 * are played run by run.
 */
import { archiveMetrics } from '../../lambdas/shared/alarms';
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lambdas/shared/time';
import type { Datapoint } from '../support/emf';
import { openAccount } from './account';
import { type Ringing, STEP_MS } from './cloudwatch';

/** A Thursday. The stack is deployed, and the alarms exist from now on. */
export const START = Date.parse('2026-11-26T02:05:00Z');
export const END = START + 49 * DAY_MS;
const MIDDLE = START + 20 * DAY_MS;
const OUTAGE = { from: START + 12 * DAY_MS, to: START + 40 * DAY_MS };
const CLEARS_AFTER_MS = 30 * HOUR_MS;

/** `lost` is not scheduled. Its first run asks for time that the source has forgotten. */
export const schedules = {
  hourly: 'rate(1 hour)',
  quarter: 'cron(0/15 * * * ? *)',
  daily: 'cron(0 5 * * ? *)',
  weekdays: 'cron(0 5 ? * MON-FRI *)',
  weekly: 'cron(0 9 ? * MON *)',
  lost: 'rate(7 days)',
};
/** Archived once, when it was still a team of this archive. The verifier goes on to tell the age of its newest manifest. */
export const FORMER = 'left';
const FREQUENT = ['hourly', 'quarter', 'daily'] as const;
const RARE = ['weekdays', 'weekly'] as const;
type Frequent = (typeof FREQUENT)[number];
type Rare = (typeof RARE)[number];

/** The instants at which a schedule fires, in UTC. A rate begins with the deployment. */
const fires: Readonly<Record<Frequent | Rare, (instant: Date) => boolean>> = {
  hourly: (instant) => instant.getUTCMinutes() === 5,
  quarter: (instant) => instant.getUTCMinutes() % 15 === 0,
  daily: (instant) => instant.getUTCHours() === 5 && instant.getUTCMinutes() === 0,
  weekdays: (instant) => fires.daily(instant) && instant.getUTCDay() % 6 > 0,
  weekly: (instant) => instant.getUTCDay() === 1 && instant.getUTCHours() === 9 && instant.getUTCMinutes() === 0,
};

/** When the runs of a team end. A run begins up to fifteen minutes late. */
function runsOf(team: Frequent | Rare): number[] {
  const instants = Array.from({ length: (END - START) / (5 * MINUTE_MS) }, (_, i) => START + i * 5 * MINUTE_MS);
  return instants.filter((at) => fires[team](new Date(at))).map(late);
}

function verifications(from = START, to = END): number[] {
  return Array.from({ length: Math.floor((to - from) / DAY_MS) }, (_, i) => late(from + i * DAY_MS, i));
}

function late(at: number, i: number): number {
  return at + ((i * 7) % 15) * MINUTE_MS + 20_000;
}

export interface Scenario {
  readonly datapoints: readonly Datapoint[];
  /** Who rings, from when to when. An alarm that is not named must not ring. */
  readonly expected: Readonly<Record<string, readonly Ringing[]>>;
}

/** CloudWatch evaluates hours before an alarm existed, so these ring from their creation to the first run. */
const BIRTH: Scenario['expected'] = {
  ...Object.fromEntries(FREQUENT.map((team) => [`silent/${team}`, [{ from: START, to: runsOf(team)[0] ?? 0 }]])),
  unverified: [{ from: START, to: verifications()[0] ?? 0 }],
};

type Account = ReturnType<typeof openAccount>;

/** The environment is that of the deployed archiver. */
export async function playScenarios(
  environment: Readonly<Record<string, string>>,
): Promise<Readonly<Record<string, Scenario>>> {
  const teams = [...Object.keys(schedules), FORMER].map((name) => ({
    name,
    startDate: name === 'lost' ? '2020-01-01' : null,
  }));
  const account = openAccount({ environment, teams });
  try {
    const lines = await playFrequent(account);
    const rare = await playRare(account, () => false);
    const healthy = [...Object.values(lines.succeeded).flat(), ...rare];
    const outage = (team: Frequent, hours: number) => frequentOutage(team, { hours, healthy });
    const rareOutages = {
      'a team of weekdays fails for weeks': await rareOutage(account, 'weekdays', { hours: 3 * 72, healthy }),
      'a weekly team fails for weeks': await rareOutage(account, 'weekly', { hours: 3 * 168, healthy }),
    };
    const silence = Object.keys(BIRTH).map((id) => [id, [{ from: START, to: Infinity }]]);
    return {
      'all is well': { datapoints: healthy, expected: BIRTH },
      'an hourly team fails for weeks': outage('hourly', 3),
      'a team of every 15 minutes fails for weeks': outage('quarter', 3),
      'a daily team fails for weeks': outage('daily', 72),
      ...rareOutages,
      'nothing ever runs': { datapoints: [], expected: Object.fromEntries(silence) },
      'a team is not configured yet': {
        datapoints: [...lines.unconfigured, ...healthy.filter(({ dimensions }) => dimensions.team !== 'daily')],
        expected: BIRTH,
      },
      ...(await playTrouble(account, healthy)),
      'a trigger is lost': besides([MESSAGE], 'unhandled', {
        healthy,
        times: Array.from({ length: (4 * DAY_MS) / STEP_MS }, (_, i) => MIDDLE + i * STEP_MS),
      }),
    };
  } finally {
    account.close();
  }
}

/** SQS emits it while a message is there. */
const MESSAGE: Datapoint = {
  namespace: 'AWS/SQS',
  name: 'ApproximateNumberOfMessagesVisible',
  dimensions: { QueueName: 'SchedulesUnhandledFCCECB59' },
  value: 1,
  at: MIDDLE,
};

function repeated(lines: readonly Datapoint[], times: readonly number[]): Datapoint[] {
  return times.flatMap((at) => lines.map((line) => ({ ...line, at })));
}

async function playFrequent({ world, run }: Account) {
  world.hasKey = false;
  const unconfigured = repeated(await run('daily', START), runsOf('daily'));
  world.hasKey = true;
  const succeeded: Record<string, Datapoint[]> = {};
  for (const team of FREQUENT) succeeded[team] = repeated(await run(team, START), runsOf(team));
  return { unconfigured, succeeded };
}

/** Every run of the rare teams but those that are left out, and every verification, in the order of time. */
async function playRare(
  { world, run, verification }: Account,
  isOut: (team: Rare, at: number) => boolean,
): Promise<Datapoint[]> {
  world.objects.clear();
  await run(FORMER, START);
  const runs = RARE.flatMap((team) =>
    runsOf(team)
      .filter((at) => !isOut(team, at))
      .map((at) => ({ at, invoke: () => run(team, at) })),
  );
  const all = [...runs, ...verifications().map((at) => ({ at, invoke: () => verification(at) }))];
  const played: Datapoint[] = [];
  for (const { invoke } of all.sort((a, b) => a.at - b.at)) played.push(...(await invoke()));
  return played;
}

interface Circumstances {
  readonly hours: number;
  readonly healthy: readonly Datapoint[];
}

/** Rings so many hours after the last good run, until the next one. */
function frequentOutage(team: Frequent, { hours, healthy }: Circumstances): Scenario {
  const id = `silent/${team}`;
  const { last, first } = around(team);
  const ringings = [...(BIRTH[id] ?? []), { from: last + hours * HOUR_MS, to: first }];
  const datapoints = healthy.filter(({ dimensions, at }) => dimensions.team !== team || !isOutage(at));
  return { datapoints, expected: { ...BIRTH, [id]: ringings } };
}

/** Rings with the first verification that finds the newest manifest too old, and clears after the last one that does. */
async function rareOutage(account: Account, out: Rare, { hours, healthy }: Circumstances): Promise<Scenario> {
  const { last, first } = around(out);
  const old = verifications().filter((at) => at > last + hours * HOUR_MS && at < first);
  const ringing = { from: old[0] ?? 0, to: (old.at(-1) ?? 0) + CLEARS_AFTER_MS };
  const played = await playRare(account, (team, at) => team === out && isOutage(at));
  const isFrequent = ({ dimensions }: Datapoint) => FREQUENT.some((team) => team === dimensions.team);
  const datapoints = [...healthy.filter(isFrequent), ...played];
  return { datapoints, expected: { ...BIRTH, [`silent/${out}`]: [ringing] } };
}

function isOutage(at: number): boolean {
  return at > OUTAGE.from && at < OUTAGE.to;
}

function around(team: Frequent | Rare) {
  const times = runsOf(team);
  const last = times.findLast((at) => at < OUTAGE.from) ?? 0;
  return { last, first: times.find((at) => at > OUTAGE.to) ?? 0 };
}

/** These lines were emitted at these times, while all else was well. */
function besides(
  lines: readonly Datapoint[],
  alarm: string,
  { healthy, times = [MIDDLE] }: { readonly healthy: readonly Datapoint[]; readonly times?: readonly number[] },
): Scenario {
  const ringing = { from: times[0] ?? 0, to: (times.at(-1) ?? 0) + CLEARS_AFTER_MS };
  return { datapoints: [...healthy, ...repeated(lines, times)], expected: { ...BIRTH, [alarm]: [ringing] } };
}

/** Plays on with the archive of the weekly team. */
async function playTrouble({ world, run, verification }: Account, healthy: readonly Datapoint[]) {
  const ofArchive = (lines: readonly Datapoint[]) => lines.filter(({ dimensions }) => dimensions.team === undefined);
  const gap = ofArchive(await run('lost', MIDDLE));
  world.status = 401;
  const forgotten = await run('weekly', END + 151 * DAY_MS);
  const failed = [...(await run('weekly', MIDDLE)), ...(await run('invented', MIDDLE))];
  world.status = 200;
  const served = Array.from({ length: 10 }, (_, id) => ({ id: id + 1000, timestamp: MIDDLE }));
  world.trails = () => served.splice(0);
  const drift = ofArchive(await run('weekly', END));
  world.objects.set('events/team=weekly/dt=2026-12-01/planted', { body: Buffer.from('x'), at: new Date() });
  const planted = ofArchive(await verification(END));
  world.objects.delete('manifests/team=weekly/0000000002.json');
  const hole = await run('weekly', END);
  return {
    'time was lost': besides(gap, 'gap', { healthy }),
    'a key is refused until Postman will soon forget': besides(forgotten, 'gap', {
      healthy,
      times: verifications(MIDDLE, MIDDLE + 9 * DAY_MS),
    }),
    'runs fail, and an invented team is archived': { datapoints: [...healthy, ...failed], expected: BIRTH },
    'the form of the lines changes': besides(drift, 'drift', { healthy }),
    'a run finds a hole in the chain': besides(hole, 'integrity', { healthy }),
    'the verifier finds a planted object on four days': plantedFor(4, { planted, healthy }),
  };
}

/** No verification of these days is good. */
function plantedFor(
  days: number,
  { planted, healthy }: { readonly planted: readonly Datapoint[]; readonly healthy: readonly Datapoint[] },
): Scenario {
  const times = verifications(MIDDLE, MIDDLE + days * DAY_MS);
  const isVerified = ({ name }: Datapoint) => name === archiveMetrics.verified;
  const others = healthy.filter(
    (point) => !isVerified(point) || point.at < MIDDLE || point.at > MIDDLE + days * DAY_MS,
  );
  const last = others.findLast((point) => isVerified(point) && point.at < MIDDLE)?.at ?? 0;
  const next = others.find((point) => isVerified(point) && point.at > MIDDLE)?.at ?? 0;
  const unverified = [...(BIRTH.unverified ?? []), { from: last + 50 * HOUR_MS, to: next }];
  const { datapoints, expected } = besides(planted, 'integrity', { healthy: others, times });
  return { datapoints, expected: { ...expected, unverified } };
}
