/** Cases of what the source sends: every reading of its contract, bodies cut at every byte, waits in every spelling. */
import { RETRY_AFTER, type RetryAfter, type SourceSettings } from '../../local/postman/source-settings';
import type { Case } from './cases';
import { chainOf, must, sum } from './chain';
import { say, whenClean } from './endings';
import { CANARY_EMAIL, CANARY_KEY, DAY, event, HOUR, MINUTE, SECOND, series, text, unfit } from './events';
import { consultOracle } from './oracle';
import type * as unpatched from './program';
import { hourly, input, NOON, steady, twoPerBatch } from './steady';
import { createWorld, type World, type WorldSetup } from './world';

type Program = typeof unpatched | undefined;

const new5 = series(200, NOON + 10 * MINUTE, 5, MINUTE);

async function archived(program: Program, changes: Partial<WorldSetup> = {}): Promise<World> {
  const setup = { start: NOON, input, events: [...steady, ...new5], ...changes, ...(program && { program }) };
  const world = createWorld(setup);
  await hourly(world);
  return world;
}

async function comesThrough(world: World): Promise<void> {
  whenClean(await world.run());
  await consultOracle(world);
}

/** Fails with the code, leaves the archive as it was, and heals when the source does. */
async function failsAndHeals(world: World, code: string): Promise<void> {
  const run = await world.run();
  must(run.outcome?.kind === 'failed' && run.outcome.code === code, `the run ended ${say(run)} instead of ${code}`);
  must(run.created.length === 0, 'nothing was written');
  world.changeSource({ fault: null, rateLimit: null });
  world.advance(HOUR);
  await comesThrough(world);
}

function* readings(): Generator<Partial<SourceSettings>> {
  for (const bounds of ['time', 'midnight', 'date'] as const)
    for (const since of ['inclusive', 'exclusive', 'ignored'] as const)
      for (const until of ['inclusive', 'exclusive'] as const)
        for (const order of ['honoured', 'always-descending', 'descending-pages', 'by-id'] as const)
          yield { bounds, since, until, order };
}

/** Over midnight, with a backlog, a late event, and runs that die half way: under each of the 72 readings. */
async function everyReading(program: Program): Promise<void> {
  const events = [
    event(1, NOON - 40 * HOUR),
    ...steady,
    ...series(200, NOON + 11 * HOUR, 9, 20 * MINUTE),
    event(300, NOON + 12 * HOUR - SECOND),
    event(301, NOON + 12 * HOUR),
    event(310, NOON + 10 * HOUR, { visibleFrom: NOON + 14 * HOUR }),
  ].sort((a, b) => (a.visibleFrom ?? 0) - (b.visibleFrom ?? 0));
  const inOrderOfIds = events.map((e, index) => ({ ...e, row: index + 1 }));
  for (const reading of readings()) {
    const world = createWorld({
      start: NOON,
      input: { startDate: new Date(NOON - 3 * DAY).toISOString() },
      events: reading.order === 'by-id' ? inOrderOfIds : events,
      source: { maxLimit: 2, ...reading },
      settings: twoPerBatch,
      ...(program && { program }),
    });
    for (const at of [30, 7, 25, 0]) {
      await world.run({ faults: [{ at, mode: 'die-after' }] });
      world.advance(6 * HOUR);
    }
    await comesThrough(world);
  }
}

/** A response that ends early, at every one of its bytes, for ever: never taken for a shorter page. */
async function cutAtEveryByte(program: Program): Promise<void> {
  const whole = Buffer.byteLength(`{"trails":[${steady.map(({ raw }) => raw).join(',')}]}`);
  const events = steady.map((e, index) => ({ ...e, at: NOON + index * MINUTE, visibleFrom: NOON + index * MINUTE }));
  for (let length = 0; length < whole; length += 1) {
    const isCut = { value: true };
    const world = createWorld({
      start: NOON + HOUR,
      input,
      events: events.map((e) => ({ ...e, raw: text(e.row, e.at) })),
      mangle: (answer) => (isCut.value ? { ...answer, body: answer.body.subarray(0, length) } : answer),
      ...(program && { program }),
    });
    const run = await world.run();
    must(run.outcome?.kind === 'failed' && run.created.length === 0, `cut at ${length}, the run ended ${say(run)}`);
    isCut.value = false;
    world.advance(HOUR);
    if (length % 50 === 0) await comesThrough(world);
  }
}

const NOT_THE_CONTRACT = [
  '',
  'null',
  '[]',
  '{}',
  '{"trails":null}',
  '{"trails":{}}',
  '{"trails":[1 2]}',
  '{"trails":[],"trails":[]}',
  '{"trails":[],"nextCursor":"a","meta":{"nextCursor":"b"}}',
  '{"trails":[],"nextCursor":true}',
  '{"trails":[],"meta":"next"}',
  '\ufeff{"trails":[]}',
  '<html><body>Sign in</body></html>',
  '{"trails":[{"id":1}]',
  '{"trails":[]}}',
];

async function notTheContract(program: Program): Promise<void> {
  for (const body of NOT_THE_CONTRACT) {
    const world = await archived(program);
    world.changeSource({ fault: () => ({ status: 200, body }) });
    await failsAndHeals(world, 'source-contract-broken');
  }
  const world = await archived(program);
  world.changeSource({ fault: () => ({ status: 200, body: Buffer.from([0x7b, 0xff, 0x7d]) }) });
  await failsAndHeals(world, 'source-contract-broken');
}

/** The last page's cursor says 0: whether that is the end or a cursor, the run never ends too early. */
async function cursorsThatEndNothing(program: Program): Promise<void> {
  for (const cursorEnd of ['0', '"0"', '-1', '1e3']) {
    const world = await archived(program, { source: { cursorEnd } });
    must(chainOf(world).length === 0, 'a cursor that the source refuses ends no walk');
    world.changeSource({ cursorEnd: null });
    await comesThrough(world);
  }
}

/** Waits as told or backs off, never hammers, and comes through. */
async function everyWait(program: Program): Promise<void> {
  for (const retryAfter of Object.keys(RETRY_AFTER) as RetryAfter[]) {
    const source = { maxLimit: 2, rateLimit: { perMinute: 2, retryAfter } };
    const world = await archived(program, { source, settings: twoPerBatch });
    const before = world.now();
    const run = await world.run();
    const retries = run.logger.filter((line) => line.startsWith('warn source retry')).length;
    const ms = world.now() - before;
    must(ms >= retries * 500, `${retryAfter}: ${retries} retries in ${ms} ms`);
    if (run.outcome?.kind !== 'archived') {
      must(run.outcome?.kind === 'failed' && run.outcome.code === 'source-throttled', `the run ended ${say(run)}`);
      world.changeSource({ rateLimit: null });
      world.advance(HOUR);
    }
    await comesThrough(world);
  }
}

/** Every answer that echoes the request, key and all: nothing of it gets into a log line or an error. */
async function echoes(program: Program): Promise<void> {
  const codes = {
    200: 'source-contract-broken',
    401: 'api-key-refused',
    403: 'api-key-refused',
    429: 'source-throttled',
    500: 'source-unavailable',
  } as const;
  for (const [status, code] of Object.entries(codes)) {
    const world = await archived(program);
    world.changeSource({ fault: () => ({ echo: Number(status) as 200 }) });
    await failsAndHeals(world, code);
  }
}

/** No parameter, an empty one, one of a key that is no longer in force: fails closed. */
async function wrongKey(program: Program): Promise<void> {
  for (const key of ['', 'PMAK-somebody-else']) {
    const world = await archived(program, {
      keys: [
        { from: 0, key: CANARY_KEY },
        { from: NOON + HOUR, key },
      ],
    });
    world.changeSource({
      fault: (_, request) => (request.headers['x-api-key'] === key ? { status: 401 } : undefined),
    });
    await failsAndHeals(world, 'api-key-refused');
  }
}

/** Redirects to another host are not followed, and the key goes nowhere else. */
async function redirects(program: Program): Promise<void> {
  for (const status of [301, 302, 303, 307, 308]) {
    const world = await archived(program);
    world.changeSource({ fault: () => ({ status, headers: { location: 'https://elsewhere.example/audit/logs' } }) });
    await failsAndHeals(world, 'source-redirected');
  }
}

/** One event of 20 MB, met whole and by a run that dies when it has staged it. */
async function oversize(program: Program): Promise<void> {
  const note = 'x'.repeat(20_000_000);
  const huge = unfit(600, NOON + 20 * MINUTE, text(600, NOON + 20 * MINUTE, { note }), { id: '600' });
  const world = await archived(program, { events: [...steady, ...new5, huge] });
  const { operations } = await world.fork().run();
  await world.run({ faults: [{ at: operations.indexOf('store.create') + 1, mode: 'die-after' }] });
  world.advance(HOUR);
  await comesThrough(world);
  must(sum(world, (counts) => counts.quarantined.oversize) === 1, 'it is in quarantine, once');
}

/** More events in one second than a batch, a page or a window holds. */
async function fiftyThousandInASecond(program: Program): Promise<void> {
  const raw = (row: number) => `{"id":${row},"timestamp":"2026-03-10T12:30:00Z","email":"${CANARY_EMAIL}"}`;
  const second = Array.from({ length: 50_000 }, (_, index) =>
    event(1000 + index, NOON + 30 * MINUTE, { raw: raw(1000 + index) }),
  );
  const world = await archived(program, { events: [...steady, ...second] });
  await world.run({ timeoutMs: 20 * SECOND });
  world.advance(HOUR);
  await comesThrough(world);
}

export const sourceCases: readonly Case[] = [
  { name: 'the source reads bounds and order in every possible way', play: everyReading },
  { name: 'a response that is cut at any byte is never taken for a shorter page', play: cutAtEveryByte },
  { name: 'a run fails at a 200 that breaks the contract', play: notTheContract },
  { name: 'a cursor that the source refuses is never taken for the end', play: cursorsThatEndNothing },
  { name: 'a run waits as the source asks, in every spelling and without one', play: everyWait },
  { name: 'no log line and no error holds a request that the source echoes', play: echoes },
  { name: 'a run fails when the parameter is empty or holds another key', play: wrongKey },
  { name: 'a redirect is not followed', play: redirects },
  { name: 'one event of 20 MB goes to quarantine', play: oversize },
  { name: '50,000 events share one second', play: fiftyThousandInASecond },
];
