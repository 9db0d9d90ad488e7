import { breakTwice } from './exhaustive';
import { scenarios } from './scenarios';

/** Short ones: every pair of operations and breakages. */
const EXHAUSTED = ['there is nothing new', 'there are new events', 'the head is half published'];
const SAMPLE = 40;

function chosen(isExhausted: boolean) {
  return scenarios.filter(({ name }) => EXHAUSTED.includes(name) === isExhausted);
}

test.each(chosen(true))('$name: a second fault at every operation of the recovery', async (scenario) => {
  const pairs = await breakTwice(scenario);
  console.info(`${scenario.name}: ${pairs} pairs of faults`);
  expect(pairs).toBeGreaterThan(1000);
});

test.each(chosen(false))('$name: a second fault during the recovery, sampled', async (scenario) => {
  expect(await breakTwice(scenario, { sample: SAMPLE })).toBe(SAMPLE);
});
