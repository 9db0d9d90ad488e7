/** A random world played: its plan's steps, then clean runs, then the oracle. */
import { createRandom } from '../../local/postman/random';
import type { Fault as SourceFault } from '../../local/postman/source-settings';
import { chainOf } from './chain';
import type { Item } from './checkpoint-model';
import { hasCommitted, say, whenClean } from './endings';
import { DAY, event, HOUR, MINUTE, SECOND, text, unfit, type WorldEvent } from './events';
import type { Method } from './faults';
import { consultOracle } from './oracle';
import type { Run, RunOptions } from './run';
import { explained } from './scenario';
import { NOON } from './steady';
import { Violation } from './witness';
import { createWorld, type World } from './world';
import type { EventPlan, RunPlan, StepPlan, Trouble, WorldPlan } from './world-plan';

/** Throws the `Violation` that says what the archive did not survive. */
export async function playPlan(plan: WorldPlan): Promise<World> {
  const { startDays, events, lookbackHours } = plan;
  const world = createWorld({
    start: NOON,
    events: inOrderOfIds(events, lookbackHours),
    source: plan.source,
    settings: { lookbackHours, batchLimits: { events: plan.batchEvents, bytes: 1e9 } },
    input: startDays === null ? {} : { startDate: new Date(NOON - startDays * DAY).toISOString() },
  });
  await explained('a random world', world, async () => {
    for (const step of plan.steps) await take(step, world);
    await recover(world);
    await (plan.source.order === 'by-id' ? leftToTheSweep(world) : consultOracle(world));
  });
  return world;
}

/** When the item was last one that no run writes; a run that has read it then may tell so much later. */
const impossibleUntil = new WeakMap<World, number>();

async function take(step: StepPlan, world: World): Promise<void> {
  if (step.kind === 'wait') world.advance(step.minutes * MINUTE);
  if (step.kind === 'wake') await wakeAll(world);
  if (step.kind === 'source') world.changeSource({ fault: troubles(step.every, step.trouble) });
  if (step.kind === 'item') {
    if (!isPossible(world)) impossibleUntil.set(world, world.now());
    world.cell.item = tampered(world, step.becomes);
  }
  if (step.kind !== 'runs') return;
  const runs = step.runs.map((run) => world.start(optionsOf(run)));
  await world.settle();
  for (const run of runs) endsWell(run, world);
}

/** The operator looks at an alarm, the source is well, whoever slept wakes: then one run mends everything. */
async function recover(world: World): Promise<void> {
  await wakeAll(world);
  world.changeSource({ fault: null });
  world.advance(HOUR);
  if (!isPossible(world)) world.cell.item = undefined;
  let run = await world.run();
  // A run that died with a wrong clock may have left a lease that ends just now.
  if (run.outcome?.kind === 'held') {
    world.advance(6 * MINUTE);
    run = await world.run();
  }
  whenClean(run);
}

/**
 * In the order of ids, what is late or was dated ahead comes after what is younger: a run that ends in between may leave
 * it to the sweep. That comes round within a day, of which none is today.
 */
async function leftToTheSweep(world: World): Promise<void> {
  world.advance(2 * DAY);
  for (let runs = 0; runs < 3 * 7; runs += 1) {
    whenClean(await world.run());
    world.advance(HOUR);
  }
  await consultOracle(world, { swept: 'any' });
}

async function wakeAll(world: World): Promise<void> {
  const frozen = world.runs.filter(({ isFrozen }) => isFrozen);
  for (const run of frozen) world.wake(run);
  await world.settle();
  for (const run of frozen) endsWell(run, world);
}

/** Anything may happen to a broken run, but no alarm for security that nobody gave cause for. */
function endsWell(run: Run, world: World): void {
  if (run.outcome?.kind === 'archived') hasCommitted(run, run.outcome.manifests);
  if (run.outcome?.kind !== 'failed' || !run.outcome.isIntegrity) return;
  if (run.created.length > 0) throw new Violation('wrote-all-the-same', run.created.join(' '));
  const isExcused = !isPossible(world) || run.startedAt <= (impossibleUntil.get(world) ?? 0);
  if (!isExcused) throw new Violation('false-alarm', `the run ended ${say(run)}`);
}

/** Whether a run could have left the item so. */
function isPossible(world: World): boolean {
  const seq = world.cell.item?.seq;
  return seq === undefined || ('N' in seq && Number(seq.N) >= 1 && Number(seq.N) <= chainOf(world).length);
}

function tampered({ cell, now }: World, becomes: Extract<StepPlan, { kind: 'item' }>['becomes']): Item | undefined {
  const seq = cell.item?.seq && 'N' in cell.item.seq ? Number(cell.item.seq.N) : 1;
  const byBecoming: Record<typeof becomes, Item | undefined> = {
    lost: undefined,
    older: { ...cell.item, seq: { N: String(Math.max(1, seq - 2)) } },
    ahead: { ...cell.item, seq: { N: String(seq + 1000) } },
    garbage: { seq: { S: 'five' }, leaseUntil: { BOOL: true } },
    leased: { ...cell.item, leaseOwner: { S: 'somebody' }, leaseUntil: { N: String(now() + 50 * SECOND) } },
  };
  return byBecoming[becomes];
}

function optionsOf({ seed, ...plan }: RunPlan): RunOptions {
  const random = createRandom(String(seed));
  // Mostly quick; now and then so slow that a lease ends meanwhile.
  const latency = (method: Method): number =>
    random.chance(0.04) ? random.below(90 * SECOND) : random.below(method === 'transport.get' ? 600 : 40);
  return { ...plan, latency, isKilledAtDeadline: true };
}

function troubles(every: number, trouble: Trouble): ((request: number) => SourceFault | undefined) | null {
  if (trouble === 'well') return null;
  const fault: SourceFault = typeof trouble === 'number' ? { status: trouble } : trouble;
  return (request) => (request % every === 0 ? fault : undefined);
}

interface Circumstances {
  readonly row: number;
  readonly lookbackHours: number;
}

function eventsOf(plan: EventPlan, circumstances: Circumstances): WorldEvent[] {
  const first = eventOf(plan, circumstances);
  const { row, at, id, isFit, removedAt } = first;
  if (plan.fate !== 'moved' || !isFit || at === null || removedAt === undefined) return [first];
  // Edited to a later hour of its day: the same id, and filed anew.
  const lastSecond = at - (at % DAY) + DAY - SECOND;
  const movedTo = Math.min(at + circumstances.lookbackHours * HOUR, lastSecond);
  const raw = text(row, movedTo, { note: 'edited' });
  return [first, event(row + 1, movedTo, { id, raw, visibleFrom: removedAt })];
}

function eventOf(plan: EventPlan, { row, lookbackHours }: Circumstances): WorldEvent {
  const stamp = NOON + plan.minute * MINUTE + plan.second * SECOND;
  const lookback = lookbackHours * HOUR;
  const visibleFrom = stamp + Math.floor(plan.lateness * lookbackHours * 60) * MINUTE;
  if (plan.kind === 'undated')
    return unfit(row, stamp, `{"id":${row},"timestamp":"soon"}`, { id: String(row), visibleFrom });
  if (plan.kind === 'without id')
    return unfit(row, stamp, text(row, stamp, { id: 'null', note: `row ${row}` }), { visibleFrom });
  if (plan.kind === 'ahead') return event(row, stamp + 20 * HOUR, { visibleFrom: stamp });
  const from = visibleFrom + plan.fateAfter * MINUTE;
  return { ...event(row, stamp, { visibleFrom }), ...fateOf(plan, { row, stamp, from, lookback }) };
}

interface Fate {
  readonly row: number;
  readonly stamp: number;
  readonly from: number;
  /** In milliseconds. Whatever comes back later than that is for the sweep. */
  readonly lookback: number;
}

function fateOf({ fate }: EventPlan, { row, stamp, from, lookback }: Fate): Partial<WorldEvent> {
  switch (fate) {
    case 'stays':
      return {};
    case 'removed':
      return { removedAt: from };
    case 'flaps':
      return from < stamp + lookback ? { removedAt: from, restoredAt: stamp + lookback } : {};
    case 'edited':
      return { later: [{ from, raw: text(row, stamp, { note: 'edited' }) }] };
    case 'moved':
      return from < stamp + lookback ? { removedAt: from } : {};
  }
}

/** A source hands out ids in the order in which events become visible. */
function inOrderOfIds(plans: readonly EventPlan[], lookbackHours: number): WorldEvent[] {
  const visibleFrom = (plan: EventPlan) => eventOf(plan, { row: 0, lookbackHours }).visibleFrom ?? 0;
  const inOrder = plans.toSorted((a, b) => visibleFrom(a) - visibleFrom(b));
  return inOrder.flatMap((plan, index) => eventsOf(plan, { row: 100 + 2 * index, lookbackHours }));
}
