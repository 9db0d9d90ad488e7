import { breakTwice } from './exhaustive';
import { scenarios } from './scenarios';

/** Short ones: every pair of operations and breakages. */
const EXHAUSTED = ['there is nothing new', 'there are new events', 'the head is half published'];
const SAMPLE = 40;

function chosen(isExhausted: boolean) {
  return scenarios.filter(({ name }) => EXHAUSTED.includes(name) === isExhausted);
}

test.each(
  chosen(true),
)('the archive survives a second fault at every operation of the recovery when $name', async (scenario) => {
  const pairs = await breakTwice(scenario);
  console.info(`${scenario.name}: ${pairs} pairs of faults`);
  expect(pairs).toBeGreaterThan(1000);
});

test.each(
  chosen(false),
)('the archive survives a second fault at some operations of the recovery when $name', async (scenario) => {
  expect(await breakTwice(scenario, { sample: SAMPLE })).toBe(SAMPLE);
});
