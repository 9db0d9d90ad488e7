/** Cases of the answers of the source: every reading of its contract, bodies cut at every byte, every kind of wait. */
import type { HttpResponse } from '../../lambdas/shared/ports';
import { RETRY_AFTER } from '../support/retry-after';
import { rateLimit, type SourceSettings } from '../support/test-source';
import { cleanRuns, failsWith, heals, namedCases, refuses } from './cases';
import { chainOf, must, sum } from './chain';
import { say } from './endings';
import { CANARY_EMAIL, CANARY_KEY, event, HOUR, MINUTE, SECOND, series, text, unfit } from './events';
import { consultOracle } from './oracle';
import { archivedWorld, daysBefore, NOON, new5, small, steady, steadyWorld, twoPerBatch } from './steady';
import type { World } from './world';

/** A run fails at this fault with the code, and leaves the archive as it was. The next run archives everything. */
async function failsAndHeals(world: World, code: string, fault: NonNullable<SourceSettings['fault']>): Promise<void> {
  world.changeSource({ fault });
  await refuses(world, code);
  world.changeSource({ fault: null });
  await heals(world);
}

function* readings(): Generator<Partial<SourceSettings>> {
  for (const bounds of ['time', 'midnight', 'date'] as const)
    for (const since of ['inclusive', 'exclusive', 'ignored'] as const)
      for (const until of ['inclusive', 'exclusive'] as const)
        for (const order of ['honoured', 'always-descending', 'descending-pages', 'by-id'] as const)
          yield { bounds, since, until, order };
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
  Buffer.from([0x7b, 0xff, 0x7d]),
];

export const sourceCases = namedCases({
  /** A backlog over midnight with a late event, and runs that die half way, under each of the 72 readings. */
  async 'the source reads bounds and order in every possible way'(program) {
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
      const world = steadyWorld(program, {
        input: { startDate: daysBefore(3) },
        events: reading.order === 'by-id' ? inOrderOfIds : events,
        source: { maxLimit: 2, ...reading },
        settings: twoPerBatch,
      });
      for (const at of [30, 7, 25, 0]) {
        await world.run({ faults: [{ at, mode: 'die-after' }] });
        world.advance(6 * HOUR);
      }
      await heals(world);
    }
  },

  /**
   * The cursor has another name, and one other sign says that more follows: a full page, a total, a link. A source that ignores
   * the order and cuts bounds to days serves the same page whatever it is asked.
   */
  async 'a source that announces the next page in a new way fails the run'(program) {
    const events = series(200, NOON - 4 * HOUR, 120, MINUTE);
    for (const [maxLimit, announced, link] of [
      [50, '"next":1', undefined],
      [7, '"meta":{"total":120}', undefined],
      [7, '"next":1', '<https://x.example/?cursor=1>; rel="next"'],
    ] as const) {
      for (const reading of [{}, { order: 'always-descending', bounds: 'midnight' }] as const) {
        const isNew = { value: true };
        const announce = (answer: HttpResponse): HttpResponse => ({
          ...answer,
          headers: new Map([...answer.headers, ...(link === undefined ? [] : [['link', link] as const])]),
          body: Buffer.from(String(answer.body).replace(/"nextCursor":[^,}]+/, announced)),
        });
        const mangle = (answer: HttpResponse) => (isNew.value ? announce(answer) : answer);
        const world = steadyWorld(program, { events, source: { maxLimit, ...reading }, mangle });
        await refuses(world, 'source-contract-broken');
        isNew.value = false;
        await heals(world);
      }
    }
  },

  /** The total counts something else, so each walk proves its end, and a late event appears before each of its requests. */
  async 'an event that appears while the end of the walk is proved fails no run'(program) {
    const mangle = (answer: HttpResponse) => ({
      ...answer,
      body: Buffer.from(String(answer.body).replace(/^\{/, '{"meta":{"total":1000},')),
    });
    for (let ms = 0; ms < 1500; ms += 100) {
      const late = event(300, NOON + 20 * MINUTE, { visibleFrom: NOON + HOUR + ms });
      const world = await archivedWorld(program, { more: [...new5, late], mangle });
      await cleanRuns(world, 2);
      await consultOracle(world);
    }
  },

  /** Every response ends after the same number of bytes, for each number that is too small. */
  async 'a response that is cut at any byte is never taken for a shorter page'(program) {
    const whole = Buffer.byteLength(`{"trails":[${steady.map(({ raw }) => raw).join(',')}]}`);
    const events = steady.map((e, index) => ({ ...e, at: NOON + index * MINUTE, visibleFrom: NOON + index * MINUTE }));
    for (let length = 0; length < whole; length += 1) {
      const isCut = { value: true };
      const world = steadyWorld(program, {
        start: NOON + HOUR,
        events: events.map((e) => ({ ...e, raw: text(e.row, e.at) })),
        mangle: (answer) => (isCut.value ? { ...answer, body: answer.body.subarray(0, length) } : answer),
      });
      const run = await world.run();
      must(run.outcome?.kind === 'failed' && run.created.length === 0, `cut at ${length}, the run ended ${say(run)}`);
      isCut.value = false;
      world.advance(HOUR);
      if (length % 50 === 0) await heals(world);
    }
  },

  async 'a run fails at a 200 that breaks the contract'(program) {
    for (const body of NOT_THE_CONTRACT) {
      await failsAndHeals(await archivedWorld(program, { more: new5 }), 'source-contract-broken', () => ({
        status: 200,
        body,
      }));
    }
  },

  /** The last page has a cursor such as 0, which the source refuses. The run must not take it for the end. */
  async 'a cursor that the source refuses is never taken for the end'(program) {
    for (const cursorEnd of ['0', '"0"', '-1', '1e3']) {
      const world = await archivedWorld(program, { more: new5, source: { cursorEnd } });
      must(chainOf(world).length === 0, 'a cursor that the source refuses ends no walk');
      world.changeSource({ cursorEnd: null });
      await heals(world);
    }
  },

  /** The run waits as long as the source says, or backs off, and never asks again at once. */
  async 'a run waits as the source asks, in every spelling and without one'(program) {
    for (const [spelling, spell] of Object.entries(RETRY_AFTER)) {
      const source = { maxLimit: 2, fault: rateLimit(2, (now) => spell(2, now)) };
      const world = await archivedWorld(program, { ...small, source, more: new5 });
      const before = world.now();
      const run = await world.run();
      const retries = run.logger.filter((line) => line.startsWith('warn source retry')).length;
      const ms = world.now() - before;
      must(ms >= retries * 500, `${spelling}: ${retries} retries in ${ms} ms`);
      if (run.outcome?.kind !== 'archived') {
        failsWith(run, 'source-throttled');
        world.changeSource({ fault: null });
        world.advance(HOUR);
      }
      await heals(world);
    }
  },

  /** An answer may echo the request with its key. The witness looks for the key in every log line and error. */
  async 'no log line and no error holds a request that the source echoes'(program) {
    const codes = {
      200: 'source-contract-broken',
      401: 'api-key-refused',
      403: 'api-key-refused',
      429: 'source-throttled',
      500: 'source-unavailable',
    } as const;
    for (const [status, code] of Object.entries(codes)) {
      await failsAndHeals(await archivedWorld(program, { more: new5 }), code, () => ({ echo: Number(status) as 200 }));
    }
  },

  /** The parameter is empty, or holds a key that the source does not accept. */
  async 'a run fails when the parameter is empty or holds another key'(program) {
    for (const key of ['', 'PMAK-somebody-else']) {
      const world = await archivedWorld(program, {
        more: new5,
        keys: [
          { from: 0, key: CANARY_KEY },
          { from: NOON + HOUR, key },
        ],
      });
      await failsAndHeals(world, 'api-key-refused', (_, { headers }) =>
        headers['x-api-key'] === key ? { status: 401 } : undefined,
      );
    }
  },

  /** The key goes to no other host. */
  async 'a redirect is not followed'(program) {
    for (const status of [301, 302, 303, 307, 308]) {
      const headers = { location: 'https://elsewhere.example/audit/logs' };
      await failsAndHeals(await archivedWorld(program, { more: new5 }), 'source-redirected', () => ({
        status,
        headers,
      }));
    }
  },

  /** A run dies after it has staged the event. The next run archives it. */
  async 'one event of 20 MB goes to quarantine'(program) {
    const note = 'x'.repeat(20_000_000);
    const huge = unfit(600, NOON + 20 * MINUTE, text(600, NOON + 20 * MINUTE, { note }), { id: '600' });
    const world = await archivedWorld(program, { more: [...new5, huge] });
    const { operations } = await world.fork().run();
    await world.run({ faults: [{ at: operations.indexOf('store.create') + 1, mode: 'die-after' }] });
    world.advance(HOUR);
    await heals(world);
    must(sum(world, (counts) => counts.quarantined.oversize) === 1, 'the event is in quarantine once');
  },

  /** Neither a page nor a batch nor a run holds all events of the second. */
  async '50,000 events share one second'(program) {
    const raw = (row: number) => `{"id":${row},"timestamp":"2026-03-10T12:30:00Z","email":"${CANARY_EMAIL}"}`;
    const second = Array.from({ length: 50_000 }, (_, index) =>
      event(1000 + index, NOON + 30 * MINUTE, { raw: raw(1000 + index) }),
    );
    const world = await archivedWorld(program, { more: second });
    await world.run({ timeoutMs: 20 * SECOND });
    world.advance(HOUR);
    await heals(world);
  },
});
