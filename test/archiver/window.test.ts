/** How a window begins and ends: what proves that the source left nothing out, and what is claimed before that. */
import { type WalkOptions, walk } from '../../lambdas/archiver/walk';
import type { TimeSpan, WalkPage } from '../../lambdas/archiver/window';
import { type HttpResponse, TransportError } from '../../lambdas/shared/ports';
import { addMs, DAY_MS, midnight } from '../../lambdas/shared/time';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { API_KEY, modelServer, type Server, sourceKit } from '../support/source-kit';
import { createSourceModel, type SourceSettings, sourceSettings } from '../support/test-source';
import { virtualClock } from '../support/virtual-clock';

const now = new Date('2026-06-12T12:00:00.250Z');
const keptFrom = addMs(now, -179 * DAY_MS);

const BOUNDS = ['time', 'midnight', 'date'] as const;
const SINCE = ['inclusive', 'exclusive', 'ignored'] as const;
const UNTIL = ['inclusive', 'exclusive'] as const;
const ORDERS = ['honoured', 'always-descending', 'descending-pages', 'by-id'] as const;

/** Every combination of the values. */
function combined<Fields extends Record<string, readonly unknown[]>>(fields: Fields) {
  type Combination = { readonly [Name in keyof Fields]: Fields[Name][number] };
  return Object.entries(fields).reduce(
    (combinations, [name, values]) =>
      combinations.flatMap((combination) => values.map((value) => ({ ...combination, [name]: value }))),
    [{} as Combination],
  );
}

interface World {
  readonly events: readonly SourceEvent[];
  readonly settings?: Partial<SourceSettings>;
  /** Changes each answer of the model. */
  readonly announce?: (answer: HttpResponse, call: Parameters<Server>[0]) => HttpResponse;
  /** The events that servers of even numbers do not know yet. */
  readonly lagging?: readonly SourceEvent[];
  /** Called before each answer. */
  readonly before?: Server;
  readonly span: TimeSpan;
  readonly options?: Partial<WalkOptions>;
  readonly latencyMs?: number;
}

/** Walks to the end. A failure of the source ends the walk with its code. */
async function walked({
  events,
  lagging = [],
  settings,
  announce = (answer) => answer,
  span,
  options,
  ...more
}: World) {
  const clock = virtualClock({ start: now.toISOString(), remainingMs: 3_600_000 });
  const serverOf = (known: readonly SourceEvent[]) =>
    modelServer(createSourceModel(createTable(known), sourceSettings('reality', API_KEY, settings)), clock);
  const servers = [serverOf(events.filter((known) => !lagging.includes(known))), serverOf(events)] as const;
  const server: Server = (call, number) => {
    more.before?.(call, number);
    return announce(servers[number % 2 === 0 ? 0 : 1](call, number), call);
  };
  const kit = sourceKit(server, { clock, latencyMs: more.latencyMs ?? 0 });
  const walking = walk(span, kit.source, { now, keptFrom, reserveMs: 3000, ...options });
  const pages: WalkPage[] = [];
  let end: string | undefined;
  while (end === undefined) {
    const next = await walking
      .next()
      .catch(({ code }: { readonly code: string }) => ({ done: true, value: code }) as const);
    if (next.done) end = next.value;
    else pages.push(next.value);
  }
  const yielded = new Set(pages.flatMap((page) => page.events.map(({ line }) => String(line))));
  return { end, pages, calls: kit.calls, missed: events.filter(({ raw }) => !yielded.has(raw)).map(({ raw }) => raw) };
}

function event(row: number, at: Date, more: Partial<SourceEvent> = {}): SourceEvent {
  return { row, at: at.getTime(), raw: `{"id":${row},"timestamp":"${at.toISOString()}"}`, ...more };
}

/** Events that are evenly spread over the hours before noon of 12 June. */
function spread(count: number, hours: number): World & { readonly events: readonly SourceEvent[] } {
  const from = addMs(now, -hours * 3_600_000);
  const at = (n: number) => new Date(Math.floor((from.getTime() + (n * hours * 3_500_000) / count) / 1000 + 1) * 1000);
  return { events: Array.from({ length: count }, (_, n) => event(n + 1, at(n))), span: { from, to: midnight(now, 3) } };
}

describe('the end of a window', () => {
  /** In place of the cursor, if there is one, the body gets this member and the headers this link. */
  function instead(member: string, link?: string): (answer: HttpResponse) => HttpResponse {
    return (answer) => {
      const body = String(answer.body);
      const isLast = !body.includes('nextCursor');
      const headers = isLast || link === undefined ? answer.headers : new Map([...answer.headers, ['link', link]]);
      return { ...answer, headers, body: Buffer.from(body.replace(/,"nextCursor":[^,}]+/, member)) };
    };
  }
  const link = instead('', '<https://api.example/audit/logs?cursor=1>; rel="next"');

  test.each([
    ['by a Link header', link],
    ['by a cursor of another name', instead(',"next":"1"')],
    ['by a total', instead(',"meta":{"total":650}')],
  ])('650 events whose next page is announced only %s fail the walk', async (_name, announce) => {
    const readings = combined({
      bounds: BOUNDS,
      order: ['honoured', 'always-descending'] as const,
      maxLimit: [300, 100],
    });
    for (const settings of readings) {
      const { end, calls } = await walked({ ...spread(650, 11), settings, announce });
      expect({ settings, end }).toEqual({ settings, end: 'source-contract-broken' });
      expect(calls.length).toBeLessThanOrEqual(5);
    }
  });

  test('a page that is announced in a new way fails the walk under every reading of bounds and order', async () => {
    const readings = combined({ bounds: BOUNDS, since: SINCE, until: UNTIL, order: ORDERS });
    for (const reading of readings) {
      for (const [hours, announce] of [
        [11, link],
        [60, instead(',"meta":{"total":20}')],
      ] as const) {
        const settings = { ...reading, maxLimit: 7 };
        const { end } = await walked({ ...spread(20, hours), settings, announce });
        expect({ settings, hours, end }).toEqual({ settings, hours, end: 'source-contract-broken' });
      }
    }
  });

  test('a source whose known cursor ends too early fails the walk', async () => {
    const early = (answer: HttpResponse) => (String(answer.body).includes('"id":200,') ? instead('')(answer) : answer);
    for (const settings of combined({ order: ['honoured', 'always-descending'] as const, maxLimit: [100] })) {
      const { end } = await walked({ ...spread(650, 11), settings, announce: early });
      expect({ settings, end }).toEqual({ settings, end: 'source-contract-broken' });
    }
  });

  /** The cursor is missing on the second page of a query, or beside one event. */
  test('a source that stops without a cursor fails the walk under every reading of bounds and order', async () => {
    const stop = instead(',"meta":{"total":20}');
    const atEvent = (answer: HttpResponse) => (String(answer.body).includes('"id":10,') ? stop(answer) : answer);
    for (const settings of combined({ bounds: BOUNDS, since: SINCE, until: UNTIL, order: ORDERS, maxLimit: [5] })) {
      const pageOf = new Map<string, number>();
      const atSecondPage: World['announce'] = (answer, { url }) => {
        const page = pageOf.get(url.searchParams.get('cursor') ?? '') ?? 1;
        pageOf.set(/"nextCursor":"?([^,}"]+)/.exec(String(answer.body))?.[1] ?? 'none', page + 1);
        return page === 2 ? stop(answer) : answer;
      };
      for (const announce of [atEvent, atSecondPage]) {
        for (const hours of [11, 60]) {
          const { end } = await walked({ ...spread(20, hours), settings, announce });
          expect({ settings, hours, end }).toEqual({ settings, hours, end: 'source-contract-broken' });
        }
      }
    }
  });

  const totals = (answer: HttpResponse) => {
    const body = String(answer.body).replace(/^\{/, '{"meta":{"total":100000},');
    return { ...answer, body: Buffer.from(body) };
  };
  const links = (answer: HttpResponse) => ({
    ...answer,
    headers: new Map([...answer.headers, ['link', '<https://api.example/>; rel="next"']]),
  });
  test.each<[string, number, number, World['announce']]>([
    ['whose only page is full', 300, 300, undefined],
    ['whose last page is full', 600, 300, undefined],
    ['that serves fewer events a page, and whose last page is full', 200, 100, undefined],
    ['whose last page happens to hold a round number of events', 50, 300, undefined],
    ['whose total counts something else', 320, 300, totals],
    ['whose total counts something else, although there is one event', 1, 300, totals],
    ['whose total counts something else, although there is none', 0, 300, totals],
    ['that links to a next page on every page', 320, 300, links],
  ])('an honest source %s is read completely, with two requests more, or three where there are several pages', async (_name, count, maxLimit, announce) => {
    for (const reading of combined({ bounds: BOUNDS, order: ORDERS })) {
      const settings = { ...reading, maxLimit };
      const world = { ...spread(count, 11), settings, ...(announce && { announce }) };
      const { end, missed, calls, pages } = await walked(world);
      expect({ settings, end, missed }).toEqual({ settings, end: 'complete', missed: [] });
      const needed = Math.max(1, Math.ceil(count / maxLimit));
      expect(calls.length).toBeLessThanOrEqual(needed + (needed === 1 ? 2 : 3));
      expect(pages.at(-1)?.claim).toEqual(world.span.to);
    }
  });

  test('an honest source that accepts a cursor once is read completely', async () => {
    const used = new Set<string>();
    const once: World['announce'] = (answer, { url: { searchParams } }) => {
      const cursor = searchParams.get('cursor');
      if (cursor !== null && used.has(cursor)) return { ...answer, status: 400, body: Buffer.from('{}') };
      if (cursor !== null) used.add(cursor);
      return answer;
    };
    const { end, missed } = await walked({ ...spread(600, 11), announce: once });
    expect({ end, missed, used: used.size }).toEqual({ end: 'complete', missed: [], used: 1 });
  });

  /** The events flicker: each second answer lacks them. */
  test('events of the last minutes that one server of the source does not know yet are no false alarm', async () => {
    for (const settings of combined({ order: ORDERS, maxLimit: [300, 11] })) {
      for (let count = 1; count <= 6; count += 1) {
        const { events, span } = spread(12, 11);
        const lagging = Array.from({ length: count }, (_, n) => event(1000 + n, addMs(now, -240_000 + n * 1000)));
        const { end } = await walked({ events: [...events, ...lagging], lagging, span, settings, announce: totals });
        expect({ settings, count, end }).toEqual({ settings, count, end: 'complete' });
      }
    }
  });

  test('an end that nothing casts doubt on costs no request', async () => {
    expect((await walked(spread(49, 11))).calls).toHaveLength(1);
  });

  /** Each request takes a second, and the event appears after so many of them. */
  test.each([
    ['of the time before all others', addMs(now, -10 * 3_600_000 - 1_800_000)],
    ['of the time between', addMs(now, -3 * 3_600_000)],
    ['of this minute', addMs(now, -1000)],
    ['of the time after the beginning of the walk', addMs(now, 1000)],
  ])('an event %s that appears while the end is checked is no false alarm', async (_name, at) => {
    for (const settings of combined({ order: ['honoured', 'always-descending'] as const, maxLimit: [300, 100] })) {
      for (let seconds = 1; seconds <= 6; seconds += 1) {
        const { events, span } = spread(300, 10);
        const late = event(1000, at, { visibleFrom: now.getTime() + seconds * 1000 - 500 });
        const { end } = await walked({ events: [...events, late], span, settings, latencyMs: 1000 });
        expect({ settings, seconds, end }).toEqual({ settings, seconds, end: 'complete' });
      }
    }
  });

  test('a source on which an event appears before each request is no false alarm', async () => {
    const { events, span } = spread(300, 10);
    const late = Array.from({ length: 20 }, (_, n) =>
      event(1000 + n, addMs(now, -60_000 + n), { visibleFrom: now.getTime() + n * 1000 - 500 }),
    );
    const { end, calls } = await walked({ events: [...events, ...late], span, latencyMs: 1000, announce: links });
    expect(end).toBe('complete');
    expect(calls.length).toBeLessThan(10);
  });

  test('a check whose page is too large is asked for in smaller parts', async () => {
    const before: Server = ({ url: { searchParams } }) => {
      const isTooLarge = searchParams.get('orderBy') === 'desc' && Number(searchParams.get('limit')) > 20;
      if (isTooLarge) throw new TransportError('too-large', 'the response is larger than 1 bytes');
      return undefined as never;
    };
    const { end, calls } = await walked({ ...spread(300, 10), before });
    expect(end).toBe('complete');
    expect(calls.map(({ url }) => url.searchParams.get('limit'))).toEqual(['300', '1', '300', '75', '18']);
  });
});

describe('the first window, from an instant', () => {
  const bound = new Date('2026-06-11T18:00:00.000Z');
  const span: TimeSpan = { from: bound, to: midnight(now, 3) };
  const sincesOf = ({ calls }: Awaited<ReturnType<typeof walked>>) =>
    calls.map(({ url }) => url.searchParams.get('since')?.replace('2026-06-', ''));
  const isAtBound = ({ claim }: WalkPage) => claim.getTime() === bound.getTime();
  const [eve, bounds, next, noon] = ['11T12:00', '11T18:00', '12T00:00', '12T12:00'].map(
    (time) => new Date(`2026-06-${time}:00.000Z`),
  ) as [Date, Date, Date, Date];

  test('any event of the date of the bound proves it, and the window is asked for from a second before the instant', async () => {
    for (const proof of [eve, bounds]) {
      const result = await walked({ events: [event(1, proof), event(2, noon)], span, options: { since: eve } });
      expect(sincesOf(result)).toEqual(['11T11:59:59.000Z']);
      expect(result).toMatchObject({ end: 'complete', missed: [], pages: [{ claim: span.to }] });
    }
  });

  test('where no event of the date is served, the whole day is asked for in the end, and nothing is claimed before', async () => {
    const events = [event(1, next), event(2, addMs(next, 1000)), event(3, noon)];
    const result = await walked({ events, span, options: { since: eve }, settings: { maxLimit: 1 } });
    expect(sincesOf(result)).toEqual([
      ...new Array(3).fill('11T11:59:59.000Z'),
      ...new Array(3).fill('10T23:59:59.000Z'),
    ]);
    expect(result.pages.map(isAtBound)).toEqual([true, true, true, true, false, false]);
    expect(result.pages.at(-1)?.claim).toEqual(span.to);
  });

  test('an event of another date, or an undated one, proves nothing', async () => {
    const undated: SourceEvent = { row: 3, at: null, raw: '{"id":3,"timestamp":"soon"}' };
    const before = event(4, new Date('2026-06-10T23:59:59.000Z'));
    const events = [before, undated, event(1, next)];
    expect(
      sincesOf(await walked({ events, span, options: { since: bound }, settings: { since: 'ignored' } })),
    ).toHaveLength(2);
  });

  test('without an instant, the whole day is asked for at once', async () => {
    expect(sincesOf(await walked({ events: [event(1, noon)], span }))).toEqual(['10T23:59:59.000Z']);
  });

  test('an instant is for the first window only', async () => {
    const from = addMs(bound, -20 * DAY_MS);
    const { calls } = await walked({ events: [event(1, from)], span: { ...span, from }, options: { since: from } });
    const sinces = calls.map(({ url }) => url.searchParams.get('since') ?? '');
    expect(sinces[0]).toBe('2026-05-22T17:59:59.000Z');
    expect(sinces.slice(1).filter((since) => !since.endsWith('T23:59:59.000Z'))).toEqual([]);
  });

  /** The archive holds event 1 at the bound, and event 2. The source has moved event 1 to noon since, and event 3 is late. */
  test('no batch or deadline claims what the source left out, where the source reads bounds as exclusive dates', async () => {
    const moved = [event(2, next), event(1, noon), event(4, noon), event(3, bounds)];
    const settings = { bounds: 'date', since: 'exclusive', maxLimit: 1 } as const;
    const { pages, missed, end } = await walked({ events: moved, span, options: { since: bound }, settings });
    expect(pages.slice(0, 2).map((page) => page.events[0]?.id)).toEqual(['2', '1']);
    expect(pages.slice(0, 2).every(isAtBound)).toBe(true);
    expect({ missed, end }).toEqual({ missed: [], end: 'complete' });
  });

  test('under every reading, nothing at or after the bound is lost, and nothing is claimed too early', async () => {
    const ticks = ['11T00:00', '11T12:00', '11T18:00', '12T00:00', '12T06:00', '12T10:00'];
    const instants = ticks.map((time) => new Date(`2026-06-${time}:00.000Z`));
    const readings = combined({ bounds: BOUNDS, since: SINCE, order: ORDERS, maxLimit: [1] });
    for (let set = 0; set < 2 ** instants.length; set += 1) {
      // The ids descend, so that a source in the order of ids is not in the order of time.
      const events = instants.flatMap((at, n) => ((set >> n) % 2 === 1 ? [event(9 - n, at)] : []));
      const expected = events.filter(({ at }) => at !== null && at >= bound.getTime());
      for (const settings of readings) {
        const { pages, missed, end } = await walked({ events, span, options: { since: eve }, settings });
        const lost = expected.filter(({ raw }) => missed.includes(raw));
        const hasty = settings.order === 'by-id' ? [] : hastyClaims(pages, expected);
        expect({ set, settings, lost, hasty, end }).toEqual({ set, settings, lost: [], hasty: [], end: 'complete' });
      }
    }
  });

  /** The events that a page claims although no page has yielded them yet. */
  function hastyClaims(pages: readonly WalkPage[], expected: readonly SourceEvent[]): readonly SourceEvent[] {
    const yielded = new Set<string>();
    return pages.flatMap((page) => {
      for (const { line } of page.events) yielded.add(String(line));
      return expected.filter(({ at, raw }) => at !== null && at < page.claim.getTime() && !yielded.has(raw));
    });
  }
});
