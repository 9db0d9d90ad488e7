import { type TimeSpan, type WalkEnd, type WalkOptions, type WalkStep, walk } from '../../lambdas/archiver/walk';
import { TransportError } from '../../lambdas/shared/ports';
import { midnight } from '../../lambdas/shared/time';
import { createSourceModel } from '../../local/postman/source-model';
import { type SourceSettings, sourceSettings } from '../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { API_KEY, modelServer, page, response, type Server, type SourceKit, sourceKit } from '../support/source-kit';
import { type VirtualClock, virtualClock } from '../support/virtual-clock';

const DAY_MS = 86_400_000;
const now = new Date('2026-06-12T12:00:00.250Z');
const documentedFloor = new Date(now.getTime() - 180 * DAY_MS + 60_000);
const steady: TimeSpan = { from: new Date('2026-06-12T05:00:00.250Z'), to: midnight(now, 3) };
const backlog: TimeSpan = { from: documentedFloor, to: midnight(now, 3) };

interface Walked {
  readonly steps: readonly WalkStep[];
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
  const walking = walk(span, kit.source, { now, floor: documentedFloor, reserveMs: 3000, ...walkOptions });
  const steps: WalkStep[] = [];
  for (;;) {
    const step = await walking.next();
    if (step.done) return { steps, end: step.value, kit };
    steps.push(step.value);
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

function linesOf(steps: readonly WalkStep[]): string[] {
  return steps.flatMap(({ events }) => events.map((yielded) => String(yielded.line)));
}

function claimsOf(steps: readonly WalkStep[]): string[] {
  return steps.map(({ claim }) => claim.toISOString());
}

const limitsOf = ({ calls }: SourceKit) => calls.map(({ url }) => url.searchParams.get('limit'));
const cursorsOf = ({ calls }: SourceKit) => calls.map(({ url }) => url.searchParams.get('cursor'));

describe('a steady run', () => {
  const readings = (['time', 'midnight', 'date'] as const).flatMap((bounds) =>
    (['inclusive', 'exclusive', 'ignored'] as const).map((since) => ({ bounds, since })),
  );

  test.each(readings)('asks once where bounds are read as $bounds, since $since', async (reading) => {
    const { kit, steps } = await walkModel([event(1, '2026-06-12T11:00:00.000Z')], reading);
    expect(kit.calls).toHaveLength(1);
    expect(claimsOf(steps)).toEqual([steady.to.toISOString()]);
  });

  test('asks for whole days, a second early, and days ahead', async () => {
    const { kit } = await walkServer(() => page());
    const { searchParams } = kit.calls[0]?.url ?? new URL('about:blank');
    expect(searchParams.get('since')).toBe('2026-06-11T23:59:59.000Z');
    expect(searchParams.get('until')).toBe('2026-06-15T00:00:00.000Z');
    expect(searchParams.get('limit')).toBe('300');
  });

  test('of a span that is empty asks nothing', async () => {
    const { kit, end } = await walkServer(() => page(), { span: { from: steady.to, to: steady.to } });
    expect(kit.calls).toHaveLength(0);
    expect(end).toBe('complete');
  });
});

describe('a backlog', () => {
  test('without events takes a handful of requests', async () => {
    const { kit, end } = await walkServer(() => page(), { span: backlog });
    expect(end).toBe('complete');
    expect(kit.calls.length).toBeLessThanOrEqual(9);
  });

  test('is asked for in windows that follow one another without a hole', async () => {
    const { kit } = await walkServer(() => page([], undefined), { span: backlog });
    const bounds = kit.calls.map(({ url }) => [url.searchParams.get('since'), url.searchParams.get('until')]);
    for (const [index, [since]] of bounds.entries()) {
      const before = bounds[index - 1]?.[1] ?? backlog.from.toISOString();
      expect(Date.parse(since ?? '')).toBeLessThan(Date.parse(before));
    }
    expect(bounds.at(-1)?.[1]).toBe(backlog.to.toISOString());
  });

  test('of many days with one page each is not asked for day by day', async () => {
    const events = Array.from({ length: 170 }, (_, day) =>
      event(day + 1, new Date(now.getTime() - day * DAY_MS).toISOString()),
    );
    const { kit, steps } = await walkModel(events, {}, { span: backlog });
    expect(new Set(linesOf(steps)).size).toBe(170);
    expect(kit.calls.length).toBeLessThanOrEqual(9);
  });

  describe('where bounds are ignored', () => {
    const span = { from: new Date(now.getTime() - 80 * DAY_MS), to: steady.to };
    const at = (day: number) => new Date(now.getTime() - day * DAY_MS).toISOString();

    /** Serves 30 a page of the days for which `isServed`; what is asked for is `since` and `until`. */
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
      ['both', days(89, () => true)],
      ['the first', days(179, (timestamp, _since, until) => timestamp < until)],
      ['the last', days(79, (timestamp, since) => timestamp >= since)],
    ])('%s: everything is served twice, and no more', async (_name, server) => {
      const { kit, steps, end } = await walkServer(server, { span });
      expect(end).toBe('complete');
      expect(new Set(linesOf(steps)).size).toBeGreaterThanOrEqual(80);
      expect(new Set(kit.calls.map(({ url }) => url.searchParams.get('until'))).size).toBe(2);
      expect(steps.at(-1)?.claim).toEqual(steady.to);
    });
  });
});

describe('a thousand events of one second', () => {
  const tied = Array.from({ length: 1000 }, (_, n) => event(n + 1, '2026-06-12T11:00:00.000Z'));

  test.each([
    {},
    { order: 'always-descending' },
    { since: 'exclusive', until: 'exclusive' },
    { bounds: 'date' },
    { cursorBase: 2n ** 60n, overlap: 7 },
  ] as const)('are all yielded: %j', async (reading) => {
    const { steps } = await walkModel(tied, reading);
    expect(new Set(linesOf(steps)).size).toBe(1000);
    expect(steps.slice(0, -1).every(({ claim }) => claim <= new Date('2026-06-12T11:00:00.000Z'))).toBe(true);
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
  const from = steady.from.toISOString();
  const to = steady.to.toISOString();

  test('follows events that are seen to ascend from page to page', async () => {
    const { steps } = await walkServer(
      pairs(
        '2026-06-12T06:00:00Z',
        '2026-06-12T07:00:00Z',
        '2026-06-12T07:00:00Z',
        '2026-06-12T08:00:00Z',
        '2026-06-12T09:00:00Z',
      ),
    );
    expect(claimsOf(steps)).toEqual([from, '2026-06-12T08:00:00.000Z', to]);
  });

  test('is made by no single page: the newest may come first, and ascend in itself', async () => {
    const { steps } = await walkServer(
      pairs(
        '2026-06-12T08:00:00Z',
        '2026-06-12T09:00:00Z',
        '2026-06-12T07:00:00Z',
        '2026-06-12T08:00:00Z',
        '2026-06-12T06:00:00Z',
      ),
    );
    expect(claimsOf(steps)).toEqual([from, from, to]);
  });

  test('stays at the beginning while there are only ties', async () => {
    const tie = '2026-06-12T07:00:00Z';
    const { steps } = await walkServer(pairs(tie, tie, tie, tie, '2026-06-12T06:00:00Z'));
    expect(claimsOf(steps)).toEqual([from, from, to]);
  });

  test('stays at the beginning once anything descends', async () => {
    const { steps } = await walkServer(
      pairs(
        '2026-06-12T05:30:00Z',
        '2026-06-12T06:00:00Z',
        '2026-06-12T06:30:00Z',
        '2026-06-12T07:00:00Z',
        '2026-06-12T06:59:59Z',
        '2026-06-12T09:00:00Z',
        '2026-06-12T10:00:00Z',
      ),
    );
    expect(claimsOf(steps)).toEqual([from, '2026-06-12T07:00:00.000Z', from, to]);
  });

  test('is never before the beginning, though older events are served', async () => {
    const { steps } = await walkServer(pairs('2026-06-12T00:00:00Z', '2026-06-12T01:00:00Z', '2026-06-12T08:00:00Z'));
    expect(claimsOf(steps)).toEqual([from, to]);
  });

  test.each([
    '1970-01-01T00:00:00Z',
    '9999-12-31T23:59:59Z',
    '2026-06-13T12:00:01Z',
    '2026-06-13T08:00:00Z',
    'soon',
  ])('is moved by no event dated %s', async (odd) => {
    const { steps } = await walkServer(
      pairs('2026-06-12T08:00:00Z', odd, '2026-06-12T09:00:00Z', odd, '2026-06-12T10:00:00Z'),
    );
    expect(claimsOf(steps)).toEqual([from, '2026-06-12T09:00:00.000Z', to]);
  });

  test('does not pass the window, though the source ignores its end', async () => {
    const months = ['2026-03-01T00:00:00Z', '2026-03-01T00:00:00Z', '2026-04-01T00:00:00Z', '2026-05-01T00:00:00Z'];
    const { steps } = await walkServer(pairs(...months, '2026-06-12T10:00:00Z'), {
      span: { from: new Date('2026-03-01T00:00:00Z'), to: steady.to },
    });
    expect(steps[1]?.claim).toEqual(new Date('2026-03-02T00:00:00Z'));
    expect(steps.at(-1)?.claim).toEqual(steady.to);
  });
});

describe('a cursor', () => {
  test('is followed as text, whatever it looks like', async () => {
    const cursors = ['18446744073709551616', '0', 'a b+c/=', '-1', '1e400'];
    const { kit, end } = await walkServer((_call, number) => page([], cursors[number - 1]));
    expect(end).toBe('complete');
    expect(cursorsOf(kit)).toEqual([null, ...cursors]);
  });

  test.each([
    ['at once', ['a', 'a']],
    ['after a while', ['a', 'b', 'c', 'b']],
    ['to the first page', ['a', 'b', 'a']],
  ])('that repeats %s is a loop', async (_name, cursors) => {
    const walked = walkServer((_call, number) => page([line(number, '2026-06-12T11:00:00Z')], cursors[number - 1]));
    await expect(walked).rejects.toMatchObject({ code: 'source-cursor-loop' });
  });

  test('goes on through pages that are empty', async () => {
    const { steps } = await walkServer((_call, number) =>
      number <= 100 ? page([], `c${number}`) : page([line(1, '2026-06-12T11:00:00Z')]),
    );
    expect(linesOf(steps)).toHaveLength(1);
  });

  test('that leads through empty pages for ever ends as a failure', async () => {
    const walked = walkServer((_call, number) => page([], `c${number}`));
    await expect(walked).rejects.toMatchObject({ code: 'source-cursor-loop' });
  });

  test('with an empty page now and then is no loop', async () => {
    const { end } = await walkServer((_call, number) =>
      page(number % 50 === 0 ? [line(number, '2026-06-12T11:00:00Z')] : [], number < 400 ? `c${number}` : undefined),
    );
    expect(end).toBe('complete');
  });

  test.each([400, 404, 410])('refused with %d begins its window again', async (status) => {
    const first = page([line(1, '2026-06-12T06:00:00Z')], 'a');
    const second = page([line(2, '2026-06-12T07:00:00Z')], 'b');
    const answers = [first, second, response(status, '{}')];
    const again = [first, second, page([line(3, '2026-06-12T08:00:00Z')])];
    const { steps, kit, end } = await walkServer((_call, number) => [...answers, ...again][number - 1] ?? page());
    expect(end).toBe('complete');
    expect(cursorsOf(kit)).toEqual([null, 'a', 'b', null, 'a', 'b']);
    expect(new Set(linesOf(steps)).size).toBe(3);
    const [from, seven] = [steady.from.toISOString(), '2026-06-12T07:00:00.000Z'];
    expect(claimsOf(steps)).toEqual([from, seven, from, seven, steady.to.toISOString()]);
  });

  test('refused twice in one window fails', async () => {
    const walked = walkServer(({ url }) => (url.searchParams.has('cursor') ? response(410, '{}') : page([], 'a')));
    await expect(walked).rejects.toMatchObject({ code: 'source-refused' });
  });

  test('may be refused once in every window', async () => {
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
      { span: { from: new Date(now.getTime() - 12 * DAY_MS), to: steady.to } },
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

  test.each([100, 20, 3, 1])('is asked for in parts, where %d events fit', async (limit) => {
    const { steps, kit } = await walkServer(fitting(limit));
    expect(new Set(linesOf(steps)).size).toBe(30);
    const limits = limitsOf(kit).map(Number);
    expect(limits[0]).toBe(300);
    expect(limits).toEqual(limits.toSorted((a, b) => b - a));
    expect(kit.calls.length).toBeLessThanOrEqual(limit < 4 ? 34 : 10);
  });

  test('keeps its cursor', async () => {
    const server: Server = ({ url }) => {
      if (!url.searchParams.has('cursor')) return page([line(1, '2026-06-12T06:00:00Z')], 'a');
      if (url.searchParams.get('limit') === '300') throw tooLarge;
      return page([line(2, '2026-06-12T07:00:00Z')]);
    };
    const { kit, steps } = await walkServer(server);
    expect(cursorsOf(kit)).toEqual([null, 'a', 'a']);
    expect(linesOf(steps)).toHaveLength(2);
  });

  test('does not make the next window smaller', async () => {
    let refused = false;
    const server: Server = () => {
      if (refused) return page();
      refused = true;
      throw tooLarge;
    };
    const { kit } = await walkServer(server, { span: { from: new Date(now.getTime() - 12 * DAY_MS), to: steady.to } });
    expect(limitsOf(kit).slice(0, 3)).toEqual(['300', '75', '300']);
  });

  test('with one event fails', async () => {
    const walked = walkServer(() => {
      throw tooLarge;
    });
    await expect(walked).rejects.toMatchObject({ code: 'source-page-too-large' });
  });
});

describe('what the source no longer keeps', () => {
  const tooOld = response(400, '{"error":{"message":"since cannot be older than 90 days"}}');

  function keeps(floor: string): Server {
    return ({ url }) =>
      (url.searchParams.get('since') ?? '') < floor ? tooOld : page([line(1, '2026-06-12T11:00:00Z')]);
  }

  test('is stepped over, to the minute, in a few requests', async () => {
    const { steps, kit, end } = await walkServer(keeps('2026-03-14T09:26:53.000Z'), { span: backlog });
    const floor = steps[0]?.floor ?? now;
    expect(end).toBe('complete');
    expect(floor.getTime()).toBeGreaterThanOrEqual(Date.parse('2026-03-14T09:26:53.000Z'));
    expect(floor.getTime()).toBeLessThanOrEqual(Date.parse('2026-03-14T09:29:53.000Z'));
    expect(kit.calls.length).toBeLessThanOrEqual(32);
    expect(steps.every((step) => step.floor.getTime() === floor.getTime())).toBe(true);
  });

  test('at every date there is, is a failure', async () => {
    await expect(walkServer(() => tooOld, { span: backlog })).rejects.toMatchObject({ code: 'source-refused' });
  });

  test('is not asked for in a span that ends before it', async () => {
    const span = { from: new Date('2026-02-01T00:00:00Z'), to: new Date('2026-02-02T00:00:00Z') };
    const { steps, end } = await walkServer(keeps('2026-03-14T09:26:53.000Z'), { span });
    expect(steps).toEqual([]);
    expect(end).toBe('complete');
  });

  test('grows while a window is walked: the walk goes on from where it still can', async () => {
    const floors = ['2025-12-14T11:00:00.000Z', '2025-12-14T18:00:00.000Z', '2025-12-14T18:30:00.000Z'];
    const server: Server = ({ url }, number) => {
      const floor = floors[number < 3 ? 0 : number < 30 ? 1 : 2] ?? '';
      if ((url.searchParams.get('since') ?? '') < floor) return tooOld;
      return page([line(number, '2026-06-12T11:00:00Z')], number < 3 ? `c${number}` : undefined);
    };
    const { end, steps } = await walkServer(server, {
      span: { from: new Date('2025-12-14T12:00:00Z'), to: steady.to },
      floor: new Date('2025-12-14T12:00:00Z'),
    });
    expect(end).toBe('complete');
    expect(steps.at(-1)?.floor.getTime()).toBeGreaterThanOrEqual(Date.parse(floors[1] ?? ''));
  });

  test('runs away from no walk, however slow its pages are', async () => {
    const hourly = Array.from({ length: 24 }, (_, n) => {
      const at = new Date(documentedFloor.getTime() + (n + 1) * 3_600_000).toISOString();
      return event(n + 1, at);
    });
    const clock = virtualClock({ start: now.toISOString(), remainingMs: 86_400_000 });
    const model = createSourceModel(createTable(hourly), sourceSettings('reality', API_KEY, { maxLimit: 2 }));
    const { steps, kit, end } = await walkServer(modelServer(model, clock), {
      span: backlog,
      clock,
      latencyMs: 20_000,
    });
    expect(end).toBe('complete');
    expect(new Set(linesOf(steps)).size).toBe(24);
    expect(kit.calls.length).toBeLessThanOrEqual(120);
  });

  test('ends at the floor, whose very second is served to those who read bounds as exclusive', async () => {
    const floor = new Date('2026-03-14T09:30:00.000Z');
    const events = [event(1, floor.toISOString()), event(2, '2026-03-14T09:30:01.000Z')];
    const { steps } = await walkModel(events, { since: 'exclusive' }, { span: { ...backlog, from: floor }, floor });
    expect(new Set(linesOf(steps)).size).toBe(2);
  });
});

describe('time', () => {
  test('that is too short for another page ends the walk, with what was claimed', async () => {
    const server: Server = (_call, number) =>
      page([line(number, new Date(steady.from.getTime() + number * 60_000).toISOString())], `c${number}`);
    const { end, steps, kit } = await walkServer(server, { remainingMs: 20_000, latencyMs: 2000 });
    expect(end).toBe('deadline');
    expect(steps).toHaveLength(kit.calls.length);
    expect(kit.clock.remainingMs()).toBeGreaterThanOrEqual(3000);
    expect(steps.at(-1)?.claim).toEqual(steps.at(-1)?.events.at(-1)?.instant);
  });

  test('that is too short to find the floor ends the walk', async () => {
    const tooOld = response(400, '{"error":{"message":"since cannot be older than 90 days"}}');
    const { end, steps } = await walkServer(() => tooOld, { span: backlog, remainingMs: 12_000, latencyMs: 2000 });
    expect(end).toBe('deadline');
    expect(steps).toEqual([]);
  });
});

test("tells the source's own time with each page", async () => {
  const { steps } = await walkServer(() => ({
    ...page(),
    headers: new Map([['date', 'Fri, 12 Jun 2026 12:00:00 GMT']]),
  }));
  expect(steps[0]?.serverTime).toEqual(new Date('2026-06-12T12:00:00Z'));
});

test('a window that was long is followed by a shorter one', async () => {
  const server: Server = ({ url }) => {
    const until = url.searchParams.get('until') ?? '';
    const number = Number(url.searchParams.get('cursor')?.split('/')[1] ?? 0);
    const pages = until < '2026-04-01' ? 1 : 150;
    return page(
      [line(number, new Date(Date.parse(until) - DAY_MS + number * 1000).toISOString())],
      number + 1 < pages ? `${until}/${number + 1}` : undefined,
    );
  };
  const { kit } = await walkServer(server, { span: backlog });
  const untils = [...new Set(kit.calls.map(({ url }) => url.searchParams.get('until') ?? ''))];
  const lengths = untils.slice(1).map((until, index) => (Date.parse(until) - Date.parse(untils[index] ?? '')) / DAY_MS);
  expect(Math.max(...lengths)).toBeLessThanOrEqual(64);
  expect(lengths.slice(0, -1).at(-1)).toBeLessThan(Math.max(...lengths));
});
