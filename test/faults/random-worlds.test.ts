/**
 * `npm run test:faults -- --seed N` plays one world again, `-- --minutes M` plays new ones for so many minutes. A failing
 * plan is printed with its seed, as small as fast-check could make it.
 */
import fc from 'fast-check';
import { say } from './endings';
import { playPlan } from './random-world';
import { worldPlan } from './world-plan';

const { FAULTS_SEED, FAULTS_MINUTES } = process.env;
const WORLDS = 2_000;
const AT_ONCE = 100;
/** The number of runs by their ending. */
const ends = new Map<string, number>();

async function playSeed(seed: number): Promise<void> {
  const property = fc.asyncProperty(worldPlan, async (plan) => {
    const { runs } = await playPlan(plan);
    for (const run of runs) ends.set(say(run), (ends.get(say(run)) ?? 0) + 1);
  });
  const result = await fc.check(property, { seed, numRuns: 1 });
  if (!result.failed) return;
  const found = fc.defaultReportMessage(result);
  const why = result.errorInstance instanceof Error ? result.errorInstance.message : '';
  throw new Error(`replay with: npm run test:faults -- --seed ${seed}\n${why}\n${found}`);
}

const fixed = Array.from({ length: WORLDS / AT_ONCE }, (_, index) => index * AT_ONCE + 1);

if (FAULTS_SEED !== undefined) {
  test(`the archive survives the world of seed ${FAULTS_SEED}`, () => playSeed(Number(FAULTS_SEED)));
} else if (FAULTS_MINUTES !== undefined) {
  test(`the archive survives new worlds for ${FAULTS_MINUTES} minutes`, soak, (Number(FAULTS_MINUTES) + 5) * 60_000);
} else {
  test.each(fixed)(`the archive survives the worlds of ${AT_ONCE} seeds from %i`, async (first) => {
    for (let seed = first; seed < first + AT_ONCE; seed += 1) await playSeed(seed);
  });

  test('the runs of the random worlds end in every possible way', () => {
    console.info([...ends].map(([end, runs]) => `${end}: ${runs}`).join('\n'));
    const ways = ['archived', 'dead', 'held', 'race', 'with checkpoint-ahead', 'with checkpoint-garbage'];
    expect([...ends.keys()]).toEqual(expect.arrayContaining(ways));
  });
}

async function soak(): Promise<void> {
  const end = Date.now() + Number(FAULTS_MINUTES) * 60_000;
  let seed = Math.floor(Math.random() * 2 ** 30);
  console.info(`soaking from seed ${seed}`);
  for (; Date.now() < end; seed += 1) await playSeed(seed);
  console.info(`soaked up to seed ${seed}`);
}
