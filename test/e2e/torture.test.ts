/**
 * The bundled handler while its calls are delayed, refused, reset or answered in part, and while it is stopped, woken
 * and killed at random. It never ends in an integrity failure, and one clean run mends everything.
 *
 * `TORTURE_MINUTES=30` makes a soak of it and cuts answers at every byte; `TORTURE_SEED` chooses another course.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { createRandom, type Random } from '../../local/postman/random';
import { openLocalBackend } from '../support/backend';
import type { Lambda } from '../support/lambda';
import { inWorld, type World } from '../support/scenario';
import type { Fault, Meddler } from '../support/tap';

const MINUTES = Number(process.env.TORTURE_MINUTES ?? 0.2);
const SEED = process.env.TORTURE_SEED ?? 'torture';
const IS_SOAK = MINUTES >= 1;
jest.setTimeout(600_000 + MINUTES * 60_000);

function testInWorld(name: string, use: (world: World) => Promise<void>): void {
  test(name, () => inWorld({}, openLocalBackend, use));
}

/** Every answer is shorter, or is cut within its body. */
const LONGEST_ANSWER = 600;

testInWorld('a run ends well when the first answer of each kind is cut at the same byte', async (world) => {
  for (let cutAt = 0; cutAt < LONGEST_ANSWER; cutAt += IS_SOAK ? 1 : 47) {
    world.source.happen(2);
    // A cold process reads the API key as well.
    await killIdle(world);
    const met = new Set<string>();
    world.meddle({ after: ({ name }) => (met.has(name) || !met.add(name) ? undefined : { cutAt }) });
    const { outcome, counts, detail } = await world.run();
    expect({ cutAt, outcome, events: counts?.events, detail }).toEqual({ cutAt, outcome: 'archived', events: 2 });
    expect([...met]).toEqual(expect.arrayContaining(['GetParameter', 'SET seq', 'PUT batches', 'GET /audit/logs']));
  }
});

/** The next run is the first of its process. */
async function killIdle(world: World): Promise<void> {
  const lambda = await world.lambda();
  lambda.signal('SIGKILL');
  while (lambda.isAlive()) await sleep(5);
}

/** Trouble that the next run mends without help. */
const MENDABLE = ['storage-unavailable', 'source-unavailable', 'source-contract-broken', 'out-of-time'];

/** One call in seven meets trouble. */
function tormentor(random: Random): Meddler {
  const trouble = async (): Promise<Fault | undefined> => {
    if (!random.chance(1 / 14)) return undefined;
    if (random.chance(0.5)) await sleep(random.below(60));
    return random.pick<Fault | undefined>([
      undefined,
      'reset',
      { status: 503, code: 'SlowDown' },
      { status: 500, code: 'InternalError' },
      { cutAt: random.below(400) },
    ]);
  };
  return { before: trouble, after: trouble };
}

/** A run that is stopped, woken and killed at random. */
async function torment(random: Random, lambda: Lambda, world: World): Promise<void> {
  const running = lambda.run({ timeoutMs: 20_000 });
  await sleep(random.below(150));
  if (random.chance(0.3)) {
    lambda.signal('SIGSTOP');
    if (random.chance(0.7)) await world.owner.setItem('deleted');
    await sleep(random.below(400));
    lambda.signal('SIGCONT');
  }
  if (random.chance(0.15)) lambda.signal('SIGKILL');
  const { outcome, code = '' } = await running;
  if (outcome === 'failed') expect(MENDABLE).toContain(code);
}

testInWorld(
  `two processes in a world of trouble leave an archive that one clean run mends (seed "${SEED}")`,
  async (world) => {
    const random = createRandom(SEED);
    let lambdas: readonly Lambda[] = [];
    for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
      world.source.happen(1 + random.below(4), { hoursAgo: random.below(4) / 20 });
      world.meddle(tormentor(random));
      const living = lambdas.filter((lambda) => lambda.isAlive());
      lambdas = living.length === 2 ? living : [...living, await world.another()];
      await Promise.all(lambdas.map((lambda) => torment(random, lambda, world)));
      world.meddle({});
      await world.leaseEnds();
      expect(await world.run()).toMatchObject({ outcome: 'archived' });
      await world.expectWhole();
    }
  },
);
