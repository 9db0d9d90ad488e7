import fc from 'fast-check';
import { createRateLimit } from '../../lambdas/archiver/rate-limit';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

/** The instants at which requests were let through. After each of them, the caller does something else for its pause. */
async function letThrough(perMinute: number, pauses: readonly number[], clock: VirtualClock = virtualClock()) {
  const rate = createRateLimit(perMinute, clock);
  const taken: number[] = [];
  for (const pause of pauses) {
    await rate.take();
    taken.push(clock.now().getTime());
    clock.advance(pause);
  }
  return taken;
}

/** The largest number of requests in any half-open minute. */
function busiestMinute(taken: readonly number[]): number {
  let most = 0;
  let first = 0;
  for (const [index, at] of taken.entries()) {
    while (at - (taken[first] ?? at) >= 60_000) first += 1;
    most = Math.max(most, index - first + 1);
  }
  return most;
}

const allowance = fc.oneof(fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 1000 }));
const pause = fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 90_000 }));

test('no minute holds more requests than are allowed, whatever happens between them', async () => {
  const property = fc.asyncProperty(allowance, fc.array(pause, { maxLength: 300 }), async (perMinute, pauses) => {
    expect(busiestMinute(await letThrough(perMinute, pauses))).toBeLessThanOrEqual(perMinute);
  });
  await fc.assert(property, { numRuns: 150 });
});

test.each([
  1, 2, 19, 20, 300,
])('nearly all of %d requests a minute are let through where the caller never pauses', async (perMinute) => {
  const taken = await letThrough(perMinute, new Array(perMinute * 10).fill(0));
  const minutes = ((taken.at(-1) ?? 0) - (taken[0] ?? 0)) / 60_000;
  expect(minutes).toBeLessThanOrEqual(perMinute < 3 ? 20 : perMinute < 20 ? 15 : 11);
  expect(busiestMinute(taken)).toBeLessThanOrEqual(perMinute);
});

test('asking how long the wait is takes no request', async () => {
  const clock = virtualClock();
  const rate = createRateLimit(1, clock);
  expect([rate.waitMs(), rate.waitMs(), rate.waitMs()]).toEqual([0, 0, 0]);
  await rate.take();
  expect(rate.waitMs()).toBe(60_000);
  clock.advance(59_000);
  expect(rate.waitMs()).toBe(1000);
});

test('a clock that is set back an hour costs at most the wait for one request', async () => {
  const clock = virtualClock();
  const rate = createRateLimit(60, clock);
  for (let request = 0; request < 3; request += 1) await rate.take();
  clock.jump(-3_600_000);
  expect(rate.waitMs()).toBeLessThanOrEqual(2000);
  await rate.take();
  expect(clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBeLessThanOrEqual(4000);
});

test('a clock that is set forward a day lets no more than a burst through', async () => {
  const clock = virtualClock();
  const rate = createRateLimit(100, clock);
  for (let request = 0; request < 5; request += 1) await rate.take();
  clock.jump(86_400_000);
  let free = 0;
  for (; rate.waitMs() === 0; free += 1) await rate.take();
  expect(free).toBeLessThanOrEqual(5);
});

test('a sleep that ends early lets no request through early', async () => {
  const clock = virtualClock();
  const hasty = { ...clock, sleep: async (ms: number) => clock.advance(Math.max(0, ms - 1)) };
  const taken = await letThrough(300, new Array(900).fill(0), hasty);
  expect(busiestMinute(taken)).toBeLessThanOrEqual(300);
});
