/** How many calls a run makes, as the servers count them. The archive before the run explains each number. */
import { dateOf } from '../../lambdas/shared/time';
import { openLocalBackend } from '../support/backend';
import { openWorld, type World } from '../support/scenario';
import type { Objects } from '../support/stored';
import type { Call } from '../support/tap';

const WRITE = /^(PUT|SET|REMOVE|DELETE|POST) /;

let world: World;
beforeAll(async () => {
  world = await openWorld({}, openLocalBackend);
});
afterAll(() => world.close());

/** One run, its calls, and the segments that were archived before it. */
async function countedRun() {
  const [from, objects] = [world.calls.length, await world.owner.objects()];
  const ended = await world.run();
  expect(ended).toMatchObject({ outcome: 'archived' });
  return { ended, known: segmentsOf(objects, () => true), calls: world.calls.slice(from) };
}

function tally(calls: readonly Call[]): Readonly<Record<string, number>> {
  const counts = new Map<string, number>();
  for (const { name } of calls) counts.set(name, (counts.get(name) ?? 0) + 1);
  return Object.fromEntries(counts);
}

function segmentsOf(objects: Objects, isWanted: (key: string) => boolean): string[] {
  return [...objects.keys()].filter((key) => key.startsWith('events/') && isWanted(key));
}

test('the first run of a cold process reads the API key once', async () => {
  world.source.happen(20, { hoursAgo: 1 });
  const { calls } = await countedRun();
  expect(tally(calls)).toMatchObject({ GetParameter: 1, 'SET leaseOwner': 1, 'SET seq': 1 });
});

test('a warm, steady run reads a page or two and the segments of the time that it reads again, and writes each object once', async () => {
  // It follows an empty run, whose manifest has no segments to check.
  await countedRun();
  const written = new Set(world.source.happen(3).map(({ at }) => dateOf(new Date(at ?? 0))));
  const { ended, calls } = await countedRun();
  expect(ended).toMatchObject({ counts: { events: 3 } });
  expect(tally(calls)).toEqual({
    'SET leaseOwner': 1,
    'SET seq': 1,
    'LIST manifests': 1,
    'GET manifests': 2,
    'GET /audit/logs': 1,
    // One segment was archived before, and each key of a new one is looked at before the batch is staged.
    'GET events': 1 + written.size,
    'PUT batches': 1,
    'PUT manifests': 1,
    'PUT events': written.size,
  });
});

test('a run checks with one GET for each segment that the newest manifest is published', async () => {
  const head = segmentsOf(await world.owner.objects(), (key) => key.endsWith('0000000003.ndjson.gz'));
  const { calls, known } = await countedRun();
  expect(head.length).toBeGreaterThan(0);
  expect(tally(calls)).toMatchObject({ 'GET events': head.length + known.length });
});

test('a run that finds nothing writes one manifest and moves the checkpoint, and nothing else', async () => {
  const { ended, calls } = await countedRun();
  expect(ended).toMatchObject({ manifests: 1, counts: { events: 0 } });
  const writes = calls.filter(({ name }) => WRITE.test(name)).map(({ name }) => name);
  expect(writes).toEqual(['SET leaseOwner', 'PUT manifests', 'SET seq']);
});

test('the archive is whole after the counted runs', () => world.expectWhole());
