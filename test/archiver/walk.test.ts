import { type WalkEnd, type WalkOptions, walk } from '../../lambdas/archiver/walk';
import type { TimeSpan, WalkPage } from '../../lambdas/archiver/window';
import { TransportError } from '../../lambdas/shared/ports';
import { DAY_MS, midnight } from '../../lambdas/shared/time';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { API_KEY, modelServer, page, response, type Server, type SourceKit, sourceKit } from '../support/source-kit';
import { createSourceModel, type SourceSettings, sourceSettings } from '../support/test-source';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

const now = new Date('2026-06-12T12:00:00.250Z');
const documentedOldest = new Date(now.getTime() - 180 * DAY_MS + 60_000);
const steady: TimeSpan = { from: new Date('2026-06-12T05:00:00.250Z'), to: midnight(now, 3) };
const backlog: TimeSpan = { from: documentedOldest, to: midnight(now, 3) };

interface Walked {
  readonly pages: readonly WalkPage[];
  readonly end: WalkEnd;
  readonly kit: SourceKit;
}

interface WalkingOptions extends Partial<WalkOptions> {
  readonly span?: TimeSpan;
  readonly remainingMs?: number;
  readonly latencyMs?: number;
  readonly clock?: VirtualClock;
}

async function walkServer(server: Server, options: WalkingOptions = {}): Promise<Walked> {
  const { span = steady, remainingMs = 3_600_000, latencyMs = 10, ...others } = options;
  const { clock = virtualClock({ start: now.toISOString(), remainingMs }), ...walkOptions } = others;
  const kit = sourceKit(server, { clock, latencyMs });
  const walking = walk(span, kit.source, { now, keptFrom: documentedOldest, reserveMs: 3000, ...walkOptions });
  const pages: WalkPage[] = [];
  for (;;) {
    const next = await walking.next();
    if (next.done) return { pages, end: next.value, kit };
    pages.push(next.value);
  }
}

async function walkModel(
  events: readonly SourceEvent[],
  changes: Partial<SourceSettings> = {},
  options: WalkingOptions = {},
) {
  const model = createSourceModel(createTable(events), sourceSettings('reality', API_KEY, changes));
  const clock = virtualClock({ start: now.toISOString() });
  return walkServer(modelServer(model, clock), options);
}

function line(id: number, timestamp: string): string {
  return `{"id":${id},"timestamp":"${timestamp}"}`;
}

function event(row: number, timestamp: string): SourceEvent {
  return { row, at: Date.parse(timestamp), raw: line(row, timestamp) };
}

function linesOf(pages: readonly WalkPage[]): string[] {
  return pages.flatMap(({ events }) => events.map((served) => String(served.line)));
}

function claimsOf(pages: readonly WalkPage[]): string[] {
  return pages.map(({ claim }) => claim.toISOString());
}

const limitsOf = ({ calls }: SourceKit) => calls.map(({ url }) => url.searchParams.get('limit'));
const cursorsOf = ({ calls }: SourceKit) => calls.map(({ url }) => url.searchParams.get('cursor'));

describe('a steady walk', () => {
  test.each([
    'time',
    'midnight',
    'date',
  ] as const)('a steady walk asks once where bounds are read as %s', async (bounds) => {
    const events = [event(1, '2026-06-12T11:00:00.000Z')];
    const { kit, pages } = await walkModel(events, { bounds, since: 'exclusive' });
    expect(kit.calls).toHaveLength(1);
    expect(claimsOf(pages)).toEqual([steady.to.toISOString()]);
  });

  test('a walk asks for whole days, begun a second early, and for days ahead', async () => {
    const { kit } = await walkServer(() => page());
    const { searchParams } = kit.calls[0]?.url ?? new URL('about:blank');
    expect(searchParams.get('since')).toBe('2026-06-11T23:59:59.000Z');
    expect(searchParams.get('until')).toBe('2026-06-15T00:00:00.000Z');
    expect(searchParams.get('limit')).toBe('300');
  });
});

describe('a backlog', () => {
  test('a backlog of days with one page each is not asked for day by day', async () => {
    const events = Array.from({ length: 170 }, (_, day) =>
      event(day + 1, new Date(now.getTime() - day * DAY_MS).toISOString()),
    );
    const { kit, pages } = await walkModel(events, {}, { span: backlog });
    expect(new Set(linesOf(pages)).size).toBe(170);
    expect(kit.calls.length).toBeLessThanOrEqual(9);
  });

  describe('where bounds are ignored', () => {
    const span = { from: new Date(now.getTime() - 80 * DAY_MS), to: steady.to };
    const at = (day: number) => new Date(now.getTime() - day * DAY_MS).toISOString();

    /** Serves one event a day, 30 a page, of those that `isServed` picks by the bounds `since` and `until`. */
    function days(first: number, isServed: (timestamp: string, since: string, until: string) => boolean): Server {
      return ({ url: { searchParams } }) => {
        const [since, until] = [searchParams.get('since') ?? '', searchParams.get('until') ?? ''];
        const start = Number(searchParams.get('cursor') ?? 0);
        const served = Array.from({ length: first + 1 }, (_, n) => at(first - n)).filter((each) =>
          isServed(each, since, until),
        );
        const lines = served.slice(start, start + 30).map((timestamp) => line(Date.parse(timestamp), timestamp));
        return page(lines, start + 30 < served.length ? String(start + 30) : undefined);
      };
    }

    test.each<[string, Server]>([
      ['the first bound is', days(179, (timestamp, _since, until) => timestamp < until)],
      ['the last bound is', days(79, (timestamp, since) => timestamp >= since)],
    ])('everything is served twice and not more often where %s ignored', async (_name, server) => {
      const { kit, pages, end } = await walkServer(server, { span });
      expect(end).toBe('complete');
      expect(new Set(linesOf(pages)).size).toBeGreaterThanOrEqual(80);
      expect(new Set(kit.calls.map(({ url }) => url.searchParams.get('until'))).size).toBe(2);
      expect(pages.at(-1)?.claim).toEqual(steady.to);
    });
  });
});

describe('a claim', () => {
  /** Serves these instants, two a page, in this order. */
  function pairs(...timestamps: readonly string[]): Server {
    return ({ url }) => {
      const start = Number(url.searchParams.get('cursor') ?? 0);
      const lines = timestamps.slice(start, start + 2).map((timestamp, index) => line(start + index, timestamp));
      return page(lines, start + 2 < timestamps.length ? String(start + 2) : undefined);
    };
  }
  const at = (time: string) => `2026-06-12T${time}:00Z`;

  /** Each row gives the times of 12 June that are served, and the claims: `from` and `to` are those of the span. */
  test.each([
    [
      'follows events that ascend from page to page',
      ['06:00', '07:00', '07:00', '08:00', '09:00'],
      ['from', '08:00', 'to'],
    ],
    [
      'is made by no single page, because the newest page may come first and ascend in itself',
      ['08:00', '09:00', '07:00', '08:00', '06:00'],
      ['from', 'from', 'to'],
    ],
    [
      'stays at the beginning while all events are of one instant',
      ['07:00', '07:00', '07:00', '07:00', '06:00'],
      ['from', 'from', 'to'],
    ],
    [
      'goes back to the beginning once an event descends',
      ['05:30', '06:00', '06:30', '07:00', '06:59', '09:00', '10:00'],
      ['from', '07:00', 'from', 'to'],
    ],
    [
      'is not before the beginning, although older events are served',
      ['00:00', '01:00', '02:00', '03:00', '08:00'],
      ['from', 'from', 'to'],
    ],
  ])('the claim %s', async (_name, times, claims) => {
    const { pages } = await walkServer(pairs(...times.map(at)));
    const ends: Readonly<Record<string, Date>> = { from: steady.from, to: steady.to };
    expect(pages.map(({ claim }) => claim)).toEqual(claims.map((claim) => ends[claim] ?? new Date(at(claim))));
  });

  test.each([
    '1970-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-06-13T12:00:01Z',
    '2026-06-13T08:00:00Z',
    'soon',
  ])('an event dated %s moves no claim', async (odd) => {
    const { pages } = await walkServer(pairs(at('08:00'), odd, at('09:00'), odd, at('10:00')));
    expect(claimsOf(pages)).toEqual([steady.from.toISOString(), '2026-06-12T09:00:00.000Z', steady.to.toISOString()]);
  });

  test('a claim does not pass its window, although the source ignores the end of the window', async () => {
    const months = ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z'];
    const span = { from: new Date('2026-03-01T00:00:00Z'), to: steady.to };
    const { pages } = await walkServer(pairs(...months, at('10:00')), { span });
    expect(pages[1]?.claim).toEqual(new Date('2026-03-02T00:00:00Z'));
    expect(pages.at(-1)?.claim).toEqual(steady.to);
  });
});

describe('a cursor', () => {
  const event1 = line(1, '2026-06-12T11:00:00Z');

  test.each<[string, Server]>([
    ['a cursor that repeats at once', () => page([event1], 'a')],
    ['a cursor that repeats after a while', (_call, number) => page([event1], 'abcb'[number - 1])],
    ['more than a hundred empty pages in a row', (_call, number) => page([], `c${number}`)],
  ])('%s is a loop', async (_name, server) => {
    await expect(walkServer(server)).rejects.toMatchObject({ code: 'source-cursor-loop' });
  });

  test('a walk goes on through a hundred empty pages, and again through as many after a page with an event', async () => {
    const { end, pages } = await walkServer((_call, number) =>
      page(number % 101 === 0 ? [event1] : [], number < 302 ? `c${number}` : undefined),
    );
    expect(end).toBe('complete');
    expect(linesOf(pages)).toHaveLength(2);
  });

  test('a cursor that is refused begins its window again', async () => {
    const first = page([line(1, '2026-06-12T06:00:00Z')], 'a');
    const second = page([line(2, '2026-06-12T07:00:00Z')], 'b');
    const answers = [first, second, response(410, '{}')];
    const again = [first, second, page([line(3, '2026-06-12T08:00:00Z')])];
    const { pages, kit, end } = await walkServer((_call, number) => [...answers, ...again][number - 1] ?? page());
    expect(end).toBe('complete');
    expect(cursorsOf(kit)).toEqual([null, 'a', 'b', null, 'a', 'b']);
    expect(new Set(linesOf(pages)).size).toBe(3);
    const [from, seven] = [steady.from.toISOString(), '2026-06-12T07:00:00.000Z'];
    expect(claimsOf(pages)).toEqual([from, seven, from, seven, steady.to.toISOString()]);
  });

  test('a cursor that is refused twice in one window fails', async () => {
    const walked = walkServer(({ url }) => (url.searchParams.has('cursor') ? response(410, '{}') : page([], 'a')));
    await expect(walked).rejects.toMatchObject({ code: 'source-refused' });
  });

  test('a cursor may be refused once in every window', async () => {
    let refusals = 0;
    const seen = new Set<string>();
    const { end } = await walkServer(
      ({ url }) => {
        const until = url.searchParams.get('until') ?? '';
        if (!url.searchParams.has('cursor')) return page([], `of ${until}`);
        if (seen.has(until)) return page();
        seen.add(until);
        refusals += 1;
        return response(400, '{"error":{"message":"cursor expired"}}');
      },
      { span: { from: new Date(now.getTime() - 170 * DAY_MS), to: steady.to } },
    );
    expect(end).toBe('complete');
    expect(refusals).toBeGreaterThan(3);
  });
});

describe('a page that is too large', () => {
  const tooLarge = new TransportError('too-large', 'the response is larger than 67108864 bytes');

  function fitting(limit: number): Server {
    return ({ url }) => {
      const asked = Number(url.searchParams.get('limit'));
      const start = Number(url.searchParams.get('cursor') ?? 0);
      if (asked > limit && start < 20) throw tooLarge;
      const lines = Array.from({ length: Math.min(asked, 30 - start) }, (_, n) =>
        line(start + n, '2026-06-12T11:00:00Z'),
      );
      return page(lines, start + asked < 30 ? String(start + asked) : undefined);
    };
  }

  test.each([100, 3, 1])('a page that is too large is asked for in parts of which %d events fit', async (limit) => {
    const { pages, kit } = await walkServer(fitting(limit));
    expect(new Set(linesOf(pages)).size).toBe(30);
    const limits = limitsOf(kit).map(Number);
    expect(limits[0]).toBe(300);
    expect(limits).toEqual(limits.toSorted((a, b) => b - a));
    // Two of the requests prove the end, because the last page is as full as it may be.
    expect(kit.calls.length).toBeLessThanOrEqual(limit < 4 ? 36 : 10);
  });

  test('a page that is too large does not make the pages of the next window smaller', async () => {
    let refused = false;
    const server: Server = () => {
      if (refused) return page();
      refused = true;
      throw tooLarge;
    };
    const { kit } = await walkServer(server, { span: { from: new Date(now.getTime() - 12 * DAY_MS), to: steady.to } });
    expect(limitsOf(kit).slice(0, 3)).toEqual(['300', '75', '300']);
  });

  test('a single event that is too large fails', async () => {
    const walked = walkServer(() => {
      throw tooLarge;
    });
    await expect(walked).rejects.toMatchObject({ code: 'source-page-too-large' });
  });
});

const tooOld = response(400, '{"error":{"message":"since cannot be older than 90 days"}}');

describe('what the source no longer keeps', () => {
  function keeps(oldest: string): Server {
    return ({ url }) =>
      (url.searchParams.get('since') ?? '') < oldest ? tooOld : page([line(1, '2026-06-12T11:00:00Z')]);
  }

  test('a walk steps over what the source no longer keeps, to the minute, in a few requests', async () => {
    const { pages, kit, end } = await walkServer(keeps('2026-03-14T09:26:53.000Z'), { span: backlog });
    const keptFrom = pages[0]?.keptFrom ?? now;
    expect(end).toBe('complete');
    expect(keptFrom.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-03-14T09:26:53.000Z'));
    expect(keptFrom.getTime()).toBeLessThanOrEqual(Date.parse('2026-03-14T09:29:53.000Z'));
    expect(kit.calls.length).toBeLessThanOrEqual(32);
    expect(pages.every((each) => each.keptFrom.getTime() === keptFrom.getTime())).toBe(true);
  });

  test('a source that keeps nothing at any date is a failure', async () => {
    await expect(walkServer(() => tooOld, { span: backlog })).rejects.toMatchObject({ code: 'source-refused' });
  });

  test('a walk catches up with what the source forgets, however slow its pages are', async () => {
    const hourly = Array.from({ length: 24 }, (_, n) => {
      const at = new Date(documentedOldest.getTime() + (n + 1) * 3_600_000).toISOString();
      return event(n + 1, at);
    });
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 86_400_000 });
    const model = createSourceModel(createTable(hourly), sourceSettings('reality', API_KEY, { maxLimit: 2 }));
    const { pages, kit, end } = await walkServer(modelServer(model, clock), {
      span: backlog,
      clock,
      latencyMs: 20_000,
    });
    expect(end).toBe('complete');
    expect(new Set(linesOf(pages)).size).toBe(24);
    expect(kit.calls.length).toBeLessThanOrEqual(120);
  });
});

describe('time', () => {
  test('a walk without the time for another page ends with what it has claimed', async () => {
    const server: Server = (_call, number) =>
      page([line(number, new Date(steady.from.getTime() + number * 60_000).toISOString())], `c${number}`);
    const { end, pages, kit } = await walkServer(server, { remainingMs: 20_000, latencyMs: 2000 });
    expect(end).toBe('deadline');
    expect(pages).toHaveLength(kit.calls.length);
    expect(kit.clock.remainingMs()).toBeGreaterThanOrEqual(3000);
    expect(pages.at(-1)?.claim).toEqual(pages.at(-1)?.events.at(-1)?.instant);
  });

  test('a walk without the time to find the oldest instant that is kept ends', async () => {
    const { end, pages } = await walkServer(() => tooOld, { span: backlog, remainingMs: 12_000, latencyMs: 2000 });
    expect(end).toBe('deadline');
    expect(pages).toEqual([]);
  });
});

describe('the length of a window follows the one before it', () => {
  /** The lengths of the windows of a backlog, in days, whose windows have as many pages as `pagesOf` says. Without pages there is no event. */
  async function windowDays(pagesOf: (until: string) => number): Promise<number[]> {
    const server: Server = ({ url }) => {
      const until = url.searchParams.get('until') ?? '';
      const number = Number(url.searchParams.get('cursor')?.split('/')[1] ?? 0);
      const pages = pagesOf(until);
      const event = line(number, new Date(Date.parse(until) - DAY_MS + number * 1000).toISOString());
      return page(pages === 0 ? [] : [event], number + 1 < pages ? `${until}/${number + 1}` : undefined);
    };
    const { kit } = await walkServer(server, { span: backlog });
    const untils = [...new Set(kit.calls.map(({ url }) => url.searchParams.get('until') ?? ''))];
    return untils.slice(1).map((until, index) => (Date.parse(until) - Date.parse(untils[index] ?? '')) / DAY_MS);
  }

  test('a window grows to forty pages after a day of one page, and has 64 days at most', async () => {
    expect((await windowDays(() => 1)).slice(0, 2)).toEqual([40, 64]);
  });

  test('a window shrinks to forty pages after a window of many pages', async () => {
    const lengths = await windowDays((until) => (until < '2026-02-15' ? 1 : 150));
    expect(lengths.slice(0, 3)).toEqual([40, 64, 17]);
  });

  test('a window grows to eight days and not further while there are no events', async () => {
    expect((await windowDays(() => 0)).slice(0, 3)).toEqual([8, 8, 8]);
  });
});
