/**
 * SIGKILL of the handler's whole process group at thirty seeded moments, in every step of a run. After ten of the kills
 * the item in DynamoDB is deleted; meanwhile the source drops one event, edits one and adds a late one. After each kill
 * one run mends everything, and the oracle is asked.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom } from '../../local/postman/random';
import type { SourceEvent } from '../../local/postman/source-table';
import { openLocalBackend } from '../support/backend';
import type { Lambda } from '../support/lambda';
import { openWorld, type World } from '../support/scenario';
import { linesOf, linesUnder, manifestAt, type Objects } from '../support/stored';
import type { Call } from '../support/tap';
import { edited } from '../support/team-log';

const SEED = process.env.KILL_SEED ?? 'thirty kills';
const KILLS = 30;
/** The item is deleted after every third kill, so that this meets every step. */
const DELETED_EVERY = 3;

/** The steps by the message that the handler logs when each begins, and the calls that each makes. */
const STEPS = {
  stage: /^PUT batches$/,
  commit: /^PUT manifests$/,
  publish: /^PUT (events|quarantine)$/,
  checkpoint: /^SET seq$/,
} as const;
type Step = keyof typeof STEPS;
const steps = Object.keys(STEPS) as Step[];

const random = createRandom(SEED);
const events: SourceEvent[] = [];
const dropped = new Map<number, SourceEvent>();
let world: World;

beforeAll(async () => {
  world = await openWorld({}, openLocalBackend);
});
afterAll(() => world.close());

/** Kills within a step: while one of its calls waits to be applied, or its answer to be delivered. */
function killWithin(step: Step, lambda: Lambda): void {
  const side = random.chance(0.5) ? 'before' : 'after';
  const [delayMs, isApplied] = [random.below(20), random.chance(0.5)];
  let isOver = false;
  world.meddle({
    [side]: async ({ name }: Call) => {
      if (isOver || !STEPS[step].test(name)) return undefined;
      isOver = true;
      await sleep(delayMs);
      lambda.signal('SIGKILL');
      // A call that is on its way may still be applied after its sender was killed.
      return isApplied ? undefined : 'reset';
    },
  });
}

/** Kills a run within the step, or at any moment, and returns the step it was in by its log. */
async function killOne(step: Step | undefined): Promise<string | undefined> {
  const lambda = await world.lambda();
  const from = lambda.lines.length;
  if (step !== undefined) killWithin(step, lambda);
  const running = lambda.run();
  if (step === undefined) setTimeout(() => lambda.signal('SIGKILL'), random.below(120));
  await running;
  // A run that has ended before its kill is killed between two invocations.
  while (lambda.isAlive()) await sleep(5);
  world.meddle({});
  return stepByLog(lambda.lines.slice(from));
}

/** The step that the dead run had begun last, by its log. */
function stepByLog(lines: readonly string[]): string | undefined {
  const messages = lines.filter((line) => line.startsWith('{')).map((line) => String(JSON.parse(line).message));
  return messages.findLast((message) => [...steps, 'page', 'committed', 'run'].includes(message));
}

/** The lines of every batch that a manifest names. No run may lose them any more. */
function committedLines(objects: Objects): string[] {
  const manifests = [...objects.keys()].filter((key) => key.startsWith('manifests/'));
  return manifests.flatMap((key) => linesOf(objects.get(manifestAt(objects, key)?.batch?.key ?? '')));
}

/** The source drops the newest committed event, edits another one, and adds a late one. */
function sourceGoesOn(number: number, objects: Objects): void {
  const served = events.filter(({ row }) => !dropped.has(row));
  const committed = new Set(committedLines(objects));
  const gone = served.findLast(({ raw }) => committed.has(raw));
  if (gone !== undefined) {
    dropped.set(gone.row, gone);
    world.source.drop(gone);
  }
  const changed = random.pick(served.filter(({ row }) => row !== gone?.row));
  world.source.put([{ ...changed, raw: edited(changed.raw, `edit ${number}`) }]);
  events.push(...world.source.happen(1, { hoursAgo: 3 }));
}

test(`one run mends the archive after each of thirty kills (seed "${SEED}")`, async () => {
  const kills = new Map<string | undefined, number>();
  events.push(...world.source.happen(3, { hoursAgo: 2 }));
  await world.run();
  for (let number = 0; number < KILLS; number += 1) {
    events.push(...world.source.happen(3));
    world.source.misbehave(`{"id":"odd ${number}"}`);
    const wanted = steps[number % (steps.length + 1)];
    const step = await killOne(wanted);
    if (wanted !== undefined) expect({ number, step }).toEqual({ number, step: wanted });
    kills.set(step, (kills.get(step) ?? 0) + 1);

    sourceGoesOn(number, await world.owner.objects());
    if (number % DELETED_EVERY === 0) await world.owner.setItem('deleted');
    else await world.leaseEnds();
    expect(await world.run()).toMatchObject({ outcome: 'archived' });
    await world.expectWhole();
  }
  for (const step of steps) expect(kills.get(step)).toBeGreaterThanOrEqual(3);
  const archived = new Set(linesUnder(await world.owner.objects(), 'events/'));
  expect(dropped.size).toBe(KILLS);
  expect([...dropped.values()].filter(({ raw }) => !archived.has(raw))).toEqual([]);
}, 600_000);
