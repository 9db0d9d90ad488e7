/** Plays the plan of a random world: its steps, then clean runs, then the oracle. */
import { createRandom } from '../../local/postman/random';
import { manifestAt } from '../support/stored';
import type { Fault as SourceFault } from '../support/test-source';
import { chainOf } from './chain';
import type { Item } from './checkpoint-model';
import { hasCommitted, say, whenClean } from './endings';
import { DAY, event, HOUR, MINUTE, SECOND, text, unfit, type WorldEvent } from './events';
import type { Method } from './faults';
import { consultOracle } from './oracle';
import type { Run, RunOptions } from './run';
import { explained } from './scenario';
import { daysBefore, NOON } from './steady';
import { Violation } from './witness';
import { createWorld, type World } from './world';
import type { EventPlan, RunPlan, StepPlan, WorldPlan } from './world-plan';

/** Throws a `Violation` if the archive does not survive the plan. */
export async function playPlan(plan: WorldPlan): Promise<World> {
  const { startDays, events, lookbackHours } = plan;
  const world = createWorld({
    start: NOON,
    events: inOrderOfIds(events, lookbackHours),
    source: plan.source,
    settings: { lookbackHours, batchLimits: { events: plan.batchEvents, bytes: 1e9 } },
    input: startDays === null ? {} : { startDate: daysBefore(startDays) },
  });
  await explained('a random world', world, async () => {
    try {
      for (const step of plan.steps) await take(step, world);
      await recover(world);
      await (plan.source.order === 'by-id' ? leftToTheSweep(world) : consultOracle(world));
    } catch (error) {
      if (!isStatedLimit(error, world)) throw error;
    }
  });
  return world;
}

/** An id is looked up as far back as the run reads. An event that was edited to a later instant may lie before that. */
function isStatedLimit(error: unknown, { objects, setup }: World): boolean {
  if (!(error instanceof Violation) || error.check !== 'committed-twice') return false;
  const [, key = '', id] = /^committed-twice: (\S+) holds (\S+),/.exec(error.message) ?? [];
  const [first, ...edited] = setup.events.filter((each) => each.id === id);
  const readFrom = manifestAt(objects, key)?.window.from;
  return edited.length > 0 && first?.at != null && readFrom !== undefined && first.at < Date.parse(readFrom);
}

/** Until when a world had an item that no run writes. A run that read it by then may report it much later. */
const impossibleUntil = new WeakMap<World, number>();

async function take(step: StepPlan, world: World): Promise<void> {
  if (step.kind === 'wait') world.advance(step.minutes * MINUTE);
  if (step.kind === 'wake') await wakeAll(world);
  if (step.kind === 'source') world.changeSource({ fault: troubles(step) });
  if (step.kind === 'item') {
    if (!isPossible(world)) impossibleUntil.set(world, world.now());
    world.cell.item = tampered(world, step.becomes);
  }
  if (step.kind !== 'runs') return;
  const runs = step.runs.map((run) => world.start(optionsOf(run)));
  await world.settle();
  for (const run of runs) endsWell(run, world);
}

/** Frozen runs wake, the source is well, and the operator deletes an impossible item. Then one run mends everything. */
async function recover(world: World): Promise<void> {
  await wakeAll(world);
  world.changeSource({ fault: null });
  world.advance(HOUR);
  if (!isPossible(world)) world.cell.item = undefined;
  let run = await world.run();
  // A run that died with a wrong clock may have left a lease that still holds.
  if (run.outcome?.kind === 'held') {
    world.advance(6 * MINUTE);
    run = await world.run();
  }
  whenClean(run);
}

/**
 * If the source sorts by id, an event that is late or dated ahead comes after younger ones. A run that ends in between
 * may leave it to the sweep, which finds it within a day.
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

/** A broken run may end in any way, but it raises no security alarm without a cause. */
function endsWell(run: Run, world: World): void {
  if (run.outcome?.kind === 'archived') hasCommitted(run, run.outcome.manifests);
  if (run.outcome?.kind !== 'failed' || !run.outcome.isIntegrity) return;
  if (run.created.length > 0) throw new Violation('wrote-all-the-same', run.created.join(' '));
  const isExcused = !isPossible(world) || run.startedAt <= (impossibleUntil.get(world) ?? 0);
  if (!isExcused) throw new Violation('false-alarm', `the run ended ${say(run)}`);
}

/** Whether a run could have written this item. */
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
  // Most operations are quick. A few are so slow that a lease ends meanwhile.
  const latency = (method: Method): number =>
    random.chance(0.04) ? random.below(90 * SECOND) : random.below(method === 'transport.get' ? 600 : 40);
  return { ...plan, latency, isKilledAtDeadline: true };
}

type SourceStep = Extract<StepPlan, { kind: 'source' }>;

function troubles({ every, trouble }: SourceStep): ((request: number) => SourceFault | undefined) | null {
  if (trouble === 'well') return null;
  const fault: SourceFault = typeof trouble === 'number' ? { status: trouble } : trouble;
  return (request) => (request % every === 0 ? fault : undefined);
}

function eventsOf(plan: EventPlan, row: number, lookbackHours: number): WorldEvent[] {
  const first = eventOf(plan, row, lookbackHours);
  const { at, id, isFit, removedAt } = first;
  if (plan.fate !== 'moved' || !isFit || at === null || removedAt === undefined) return [first];
  // The event is edited to a later hour of its day. It keeps its id, and the source files it anew.
  const lastSecond = at - (at % DAY) + DAY - SECOND;
  const movedTo = Math.min(at + lookbackHours * HOUR, lastSecond);
  const raw = text(row, movedTo, { note: 'edited' });
  return [first, event(row + 1, movedTo, { id, raw, visibleFrom: removedAt })];
}

function eventOf(plan: EventPlan, row: number, lookbackHours: number): WorldEvent {
  const stamp = NOON + plan.minute * MINUTE + plan.second * SECOND;
  const visibleFrom = stamp + Math.floor(plan.lateness * lookbackHours * 60) * MINUTE;
  if (plan.kind === 'undated')
    return unfit(row, stamp, `{"id":${row},"timestamp":"soon"}`, { id: String(row), visibleFrom });
  if (plan.kind === 'without id')
    return unfit(row, stamp, text(row, stamp, { id: 'null', note: `row ${row}` }), { visibleFrom });
  if (plan.kind === 'ahead') return event(row, stamp + 20 * HOUR, { visibleFrom: stamp });
  const from = visibleFrom + plan.fateAfter * MINUTE;
  // After the lookback, only the sweep finds an event that comes back.
  const end = stamp + lookbackHours * HOUR;
  const byFate: Record<EventPlan['fate'], Partial<WorldEvent>> = {
    stays: {},
    removed: { removedAt: from },
    flaps: from < end ? { removedAt: from, restoredAt: end } : {},
    edited: { later: [{ from, raw: text(row, stamp, { note: 'edited' }) }] },
    moved: from < end ? { removedAt: from } : {},
  };
  return { ...event(row, stamp, { visibleFrom }), ...byFate[plan.fate] };
}

/** The source hands out ids in the order in which events become visible. */
function inOrderOfIds(plans: readonly EventPlan[], lookbackHours: number): WorldEvent[] {
  const visibleFrom = (plan: EventPlan) => eventOf(plan, 0, lookbackHours).visibleFrom ?? 0;
  const inOrder = plans.toSorted((a, b) => visibleFrom(a) - visibleFrom(b));
  return inOrder.flatMap((plan, index) => eventsOf(plan, 100 + 2 * index, lookbackHours));
}
