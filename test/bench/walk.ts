/**
 * `npm run bench -- walk`: how much the archiver asks its source for. The runs are real, the source and the time are simulated, so
 * requests and events are counted. The speed of a catch-up follows from the latencies, the rate limit, and the processor time
 * that the archiver really used.
 */
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS } from '../../lambdas/shared/time';
import type { EventText } from '../support/bulk-log';
import type { Row } from './rows';
import { type SimulatedRun, type SimulationOptions, simulate } from './simulation';

const NOW = new Date('2026-06-12T00:07:00.250Z');
const PAGE = 300;
const AWS = { s3: 25, dynamodb: 8 };
/** A function with 512 MB has this share of a processor. */
const SMALL_SHARE = 512 / 1769;
const ROUNDS = 3;
const CATCH_UP_EVENTS = 90_000;
const RATE = 300;

export async function benchWalk(isFull: boolean): Promise<Row[]> {
  const perDay = isFull ? 200_000 : 20_000;
  const rows = [await steady(perDay, HOUR_MS, 10), await steady(perDay, 15 * MINUTE_MS, 12), await requestsOfARun(151)];
  for (const each of isFull ? [151, 2027, 20_011] : [151, 2027]) rows.push(await backfill(each));
  for (const [share, reach] of [
    [1, 0.93],
    [SMALL_SHARE, 0.85],
  ] as const)
    for (const page of [100, 400]) rows.push(await catchUp(page, share, reach));
  return rows;
}

/** Runs on a schedule for a day and a half, of which the last day counts. */
export async function steadyDay(perDay: number, everyMs: number, pace: Pace = {}): Promise<SimulatedRun[]> {
  const from = addMs(NOW, -20 * DAY_MS);
  const days = 22;
  const log = {
    events: perDay * days,
    from,
    to: addMs(from, days * DAY_MS),
    text: pace.text ?? { bytes: 330, noise: 0 },
  };
  const world = simulate({ log, start: NOW, startDate: from, ...pace });
  await untilComplete(world.run);
  const runs: SimulatedRun[] = [];
  for (let at = everyMs; at <= 1.5 * DAY_MS; at += everyMs) {
    world.advanceTo(NOW.getTime() + at);
    const run = await world.run();
    if (at > DAY_MS / 2) runs.push(run);
  }
  return runs;
}

interface Pace extends Pick<SimulationOptions, 'latency' | 'slowness'> {
  readonly text?: EventText;
}

async function steady(perDay: number, everyMs: number, reach: number): Promise<Row> {
  const runs = await steadyDay(perDay, everyMs);
  const served = sum(runs.map((run) => run.served));
  const fresh = eventsOf(runs);
  return {
    what: `events fetched for each new one, every ${everyMs / MINUTE_MS} minutes, ${count(perDay)} a day`,
    figure: `${count(served)} fetched`,
    yardstick: `${count(fresh)} new`,
    ratios: [served / fresh],
    reach,
  };
}

async function requestsOfARun(perDay: number): Promise<Row> {
  const runs = await steadyDay(perDay, HOUR_MS);
  const most = Math.max(...runs.map((run) => run.pagesAt.length));
  return {
    what: `requests of an hourly run, ${perDay} events a day`,
    figure: `${most} at most`,
    yardstick: '1',
    ratios: [most],
    reach: 2,
  };
}

/** The request that reads the source's clock, and those of the sweep, are no part of the backfill. */
async function backfill(perDay: number): Promise<Row> {
  const from = addMs(NOW, -178 * DAY_MS);
  const events = perDay * 178;
  const log = { events, from, to: NOW, text: { bytes: 330, noise: 0 } };
  const world = simulate({ log, start: NOW, startDate: addMs(from, -DAY_MS) });
  const runs = await untilComplete(world.run);
  const swept = sum(
    runs.flatMap(({ manifests }) => manifests).flatMap(({ sweeps }) => sweeps.map(({ served }) => served)),
  );
  const requests = sum(runs.map((run) => run.pagesAt.length)) - 1 - Math.ceil(swept / PAGE);
  const least = Math.ceil(events / PAGE);
  return {
    what: `requests of a backfill, ${count(perDay)} events a day`,
    figure: count(requests),
    yardstick: `${count(least)} full pages`,
    ratios: [requests / least],
    reach: 1.05,
  };
}

/** The first minute does not count, because the rate limit allows a burst at the start. */
async function catchUp(page: number, share: number, reach: number): Promise<Row> {
  const best = Math.min(RATE, MINUTE_MS / page);
  const rates: number[] = [];
  for (let round = 0; round < ROUNDS; round += 1) {
    const log = { events: CATCH_UP_EVENTS, from: addMs(NOW, -175 * DAY_MS), to: NOW };
    const options = { maxRequestsPerMinute: RATE, latency: { page, ...AWS }, slowness: 1 / share };
    const [run] = await untilComplete(simulate({ log, start: NOW, startDate: log.from, ...options }).run);
    const late = run?.pagesAt.filter((at) => at > NOW.getTime() + MINUTE_MS) ?? [];
    rates.push(((late.length - 1) * MINUTE_MS) / ((late.at(-1) ?? 0) - (late[0] ?? 0)));
  }
  return {
    what: `catch-up, ${page} ms a page, ${share.toFixed(2)} of a processor`,
    figure: `${Math.round(rates[0] ?? 0)} pages a minute`,
    yardstick: `${best} pages a minute`,
    ratios: rates.map((rate) => rate / best),
    reach,
    isFloor: true,
  };
}

async function untilComplete(run: () => Promise<SimulatedRun>): Promise<SimulatedRun[]> {
  const runs: SimulatedRun[] = [];
  do runs.push(await run());
  while (runs.at(-1)?.manifests.at(-1)?.run.reason !== 'complete');
  return runs;
}

export function eventsOf(runs: readonly SimulatedRun[]): number {
  return sum(runs.flatMap(({ manifests }) => manifests.map(({ counts }) => counts.events)));
}

export function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}

export function count(value: number): string {
  return value.toLocaleString('en');
}
