/**
 * The bundled handler under everything that processes and networks can do to it: stopped and woken after others have
 * gone on, killed, its calls delayed, refused, reset, answered in vain, or answered with a part of the answer. Whatever
 * happens, it never ends in an integrity failure, and when it is over one run mends everything.
 *
 * `TORTURE_MINUTES=30` makes a soak of it, and cuts at every byte; `TORTURE_SEED` chooses another course.
 */
import { createRandom, type Random } from '../../local/postman/random';
import { openLocalBackend } from '../support/backend';
import type { Ended, Lambda } from '../support/lambda';
import { openWorld, type Scenario, type World } from '../support/scenario';
import { atFirst, type Fault, type Meddler } from '../support/tap';

const MINUTES = Number(process.env.TORTURE_MINUTES ?? 0.2);
const SEED = process.env.TORTURE_SEED ?? 'torture';
const IS_SOAK = MINUTES >= 1;
const TIMEOUT_MS = 600_000 + MINUTES * 60_000;

async function inWorld(setup: Pick<Scenario, 'source'>, use: (world: World) => Promise<void>): Promise<void> {
  const world = await openWorld(setup, openLocalBackend);
  try {
    await use(world);
    await world.expectWhole();
  } finally {
    await world.close();
  }
}

interface Nap {
  readonly at: string;
  readonly side: keyof Meddler;
  /** What becomes of the zombie. */
  readonly outcome: Ended['outcome'];
}

const naps: readonly Nap[] = [
  { at: 'SET leaseOwner', side: 'after', outcome: 'archived' },
  { at: 'LIST manifests', side: 'after', outcome: 'race' },
  { at: 'GET /audit/logs', side: 'after', outcome: 'race' },
  { at: 'PUT batches', side: 'before', outcome: 'race' },
  { at: 'PUT batches', side: 'after', outcome: 'race' },
  { at: 'PUT manifests', side: 'before', outcome: 'race' },
  { at: 'PUT manifests', side: 'after', outcome: 'archived' },
  { at: 'PUT events', side: 'before', outcome: 'archived' },
  { at: 'PUT events', side: 'after', outcome: 'archived' },
  { at: 'SET seq', side: 'before', outcome: 'archived' },
  { at: 'SET seq', side: 'after', outcome: 'archived' },
];

/** Stops the run at a call, lets another run whole, and wakes it up with its call still under way. */
async function sleepThrough({ at, side, outcome }: Nap, world: World, others: readonly [Lambda, Lambda]) {
  const [zombie, other] = others;
  world.meddle({
    [side]: atFirst(at, async () => {
      zombie.signal('SIGSTOP');
      await world.leaseEnds();
      expect(await other.run()).toMatchObject({ outcome: 'archived' });
      zombie.signal('SIGCONT');
      return undefined;
    }),
  });
  expect(await zombie.run()).toMatchObject({ outcome });
  world.meddle({});
  await world.leaseEnds();
  expect(await other.run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
}

test(
  'a run that is stopped, and wakes up after the next one has committed, changes nothing any more',
  async () => {
    await inWorld({}, async (world) => {
      const others = [await world.lambda(), await world.another()] as const;
      for (const nap of naps) {
        world.source.happen(5);
        await sleepThrough(nap, world, others);
      }
    });
  },
  TIMEOUT_MS,
);

test(
  'a zombie that has committed one of several batches loses the race for the next',
  async () => {
    await inWorld({ source: { maxLimit: 10 } }, async (world) => {
      world.source.happen(40, { hoursAgo: 3, bytes: 300_000 });
      const others = [await world.lambda(), await world.another()] as const;
      await sleepThrough({ at: 'PUT manifests', side: 'after', outcome: 'race' }, world, others);
    });
  },
  TIMEOUT_MS,
);

/** The SDK holds retries back after some fifty broken answers in a row. */
const RETRIES_A_PROCESS = 40;

test(
  'the answer to a commit, cut after each of its bytes: the run knows its own manifest',
  async () => {
    await inWorld({}, async (world) => {
      const commits = () => world.calls.filter(({ name }) => name === 'PUT manifests').length;
      await world.run();
      let cutAt = 0;
      for (let attempts = 2; attempts > 1; cutAt += 1) {
        if (cutAt % RETRIES_A_PROCESS === 0) await renewed(world);
        const before = commits();
        world.meddle({ after: atFirst('PUT manifests', () => ({ cutAt })) });
        const { outcome, manifests, detail } = await world.run();
        expect({ cutAt, outcome, manifests, detail }).toEqual({ cutAt, outcome: 'archived', manifests: 1 });
        attempts = commits() - before;
      }
      expect(cutAt).toBeGreaterThan(100);
    });
  },
  TIMEOUT_MS,
);

/** An answer is no longer than this, or cut within its body. */
const LONGEST_ANSWER = 600;
const WORLDS = 2;

test.concurrent.each([...Array(WORLDS).keys()])(
  'every kind of answer, cut at the same byte (%d)',
  async (offset) => {
    const step = IS_SOAK ? WORLDS : WORLDS * 47;
    await inWorld({}, async (world) => {
      for (let cutAt = (offset * step) / WORLDS; cutAt < LONGEST_ANSWER; cutAt += step) {
        world.source.happen(2);
        // So that the key is read as well.
        await renewed(world);
        const met = new Set<string>();
        world.meddle({ after: ({ name }) => (met.has(name) || !met.add(name) ? undefined : { cutAt }) });
        const { outcome, counts, detail } = await world.run();
        expect({ cutAt, outcome, events: counts?.events, detail }).toEqual({ cutAt, outcome: 'archived', events: 2 });
        expect([...met]).toEqual(expect.arrayContaining(['GetParameter', 'SET seq', 'PUT batches', 'GET /audit/logs']));
      }
    });
  },
  TIMEOUT_MS,
);

/** The next run is the first of its process. */
async function renewed(world: World): Promise<void> {
  const lambda = await world.lambda();
  lambda.signal('SIGKILL');
  while (lambda.isAlive()) await sleep(5);
}

/** Trouble that the next run mends unaided. */
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

/** Runs at random, stopped, woken and killed at random. */
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

test(
  `two handlers in a world of trouble, seed "${SEED}"`,
  async () => {
    await inWorld({}, async (world) => {
      const random = createRandom(SEED);
      let lambdas: readonly Lambda[] = [];
      for (const end = Date.now() + MINUTES * 60_000; Date.now() < end; ) {
        world.source.happen(1 + random.below(4), { hoursAgo: random.below(4) });
        world.meddle(tormentor(random));
        const living = lambdas.filter((lambda) => lambda.isAlive());
        lambdas = living.length === 2 ? living : [...living, await world.another()];
        await Promise.all(lambdas.map((lambda) => torment(random, lambda, world)));
        world.meddle({});
        await world.leaseEnds();
        expect(await world.run()).toMatchObject({ outcome: 'archived' });
        await world.expectWhole();
      }
    });
  },
  TIMEOUT_MS,
);

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
