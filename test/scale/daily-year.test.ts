/**
 * What the daily verification costs once a year is archived, by the hour, with data that expires after 200 days. `npm run bench`
 * shows the same for five years.
 */
import { type Anchor, roundDays } from '../../lambdas/shared/anchor';
import type { Objects } from '../support/archive-builder';
import { A_DAY, buildHistory, expired, nightAfter, onDay, RETENTION, readsOfADay, verifyOn } from '../support/history';

const DAYS = 365;
const BEGIN = DAYS - 30;
/** The runs of a month, whose manifests say which objects have expired. */
const A_MONTH = 31 * A_DAY;

let whole: Objects;
let first: Anchor | undefined;
beforeAll(async () => {
  whole = await buildHistory(DAYS, { amend: (manifest) => ({ ...manifest, retention: RETENTION }) });
  ({ anchor: first } = await verifyOn(onDay(whole, BEGIN), { now: nightAfter(BEGIN) }));
}, 120_000);

test('each day reads a thirtieth of the year, what is new, and a constant, and in thirty days everything is read', async () => {
  let anchor = first;
  const read = new Set<string>();
  for (let day = BEGIN + 1; day <= DAYS; day += 1) {
    const objects = onDay(whole, day);
    const fresh = objects.size - onDay(whole, day - 1).size;
    const daily = await verifyOn(objects, { anchor, now: nightAfter(day) });
    expect(daily).toMatchObject({ found: [], isComplete: true });
    expect(daily.read.length).toBeLessThanOrEqual(readsOfADay(objects.size, fresh));
    for (const key of daily.read) read.add(key);
    anchor = daily.anchor;
  }
  expect([...whole.keys()].filter((key) => !read.has(key))).toEqual([]);
}, 120_000);

test('while objects expire, a day reads the manifests of a month more, and an object that is missing is found within a day', async () => {
  const stored = (day: number) => expired(onDay(whole, day), day);
  let { anchor } = await verifyOn(stored(DAYS - 3), { now: nightAfter(DAYS - 3) });
  for (let day = DAYS - 2; day < DAYS; day += 1) {
    const objects = stored(day);
    const daily = await verifyOn(objects, { anchor, now: nightAfter(day) });
    expect(daily).toMatchObject({ found: [], isComplete: true });
    const most = readsOfADay(objects.size, onDay(whole, day).size - onDay(whole, day - 1).size) + A_MONTH;
    expect(daily.read.length).toBeLessThanOrEqual(most);
    anchor = daily.anchor;
  }
  const objects = stored(DAYS);
  const victim = [...objects.keys()].find((key) => key.startsWith('events/')) ?? '';
  objects.delete(victim);
  expect((await verifyOn(objects, { anchor, now: nightAfter(DAYS) })).found).toEqual([`segment-missing ${victim}`]);
}, 120_000);

test('where the time does not suffice, the year is read again in more than thirty days, and the anchor says in how many', async () => {
  let anchor = first;
  for (const day of [BEGIN + 1, BEGIN + 2]) {
    const daily = await verifyOn(onDay(whole, day), { anchor, steps: 1, now: nightAfter(day) });
    expect(daily).toMatchObject({ found: [], isComplete: false });
    anchor = daily.anchor;
  }
  expect(anchor).toMatchObject({ seq: (BEGIN + 2) * A_DAY, scope: { after: 200, through: 400 } });
  expect(anchor && roundDays(anchor)).toBe(Math.ceil(((BEGIN + 2) * A_DAY) / 200));
});
