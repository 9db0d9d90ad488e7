/**
 * A walk under any combination of settings serves exactly the expected events. They are worked out here a second time,
 * event by event, from the definition of each setting.
 */

import fc from 'fast-check';
import { DAY_MS } from '../../../lambdas/shared/time';
import { createTable, type SourceEvent } from '../../../local/postman/source-table';
import { trailsOf, walk } from '../../support/naive-client';
import { createSourceModel, type SourceSettings, sourceSettings } from '../../support/test-source';

const KEY = 'PMAK-property';
const NOW = Date.UTC(2026, 5, 30, 15, 0, 0);
const START = NOW - 4 * DAY_MS;

/** There are only a few instants, so ties, midnights and bounds that meet an event are frequent. */
const instant = fc
  .tuple(fc.constantFrom(0, 1, 2, 3), fc.constantFrom(0, 1000, 39_600_000, 54_000_000, DAY_MS - 1000))
  .map(([day, ms]) => Math.floor(START / DAY_MS) * DAY_MS + day * DAY_MS + ms);

const row = fc.integer({ min: 1, max: 500 });
const events = fc
  .uniqueArray(fc.record({ row, at: fc.option(instant, { freq: 20 }), late: fc.option(instant) }), {
    selector: (event) => event.row,
    maxLength: 40,
  })
  .map((list) =>
    list.map(({ row, at, late }): SourceEvent => {
      return { row, at, raw: `{"id":${row},"v":1.0}`, ...(late === null ? {} : { visibleFrom: late + DAY_MS }) };
    }),
  );

const changes: fc.Arbitrary<Partial<SourceSettings>> = fc.record({
  cursorPlace: fc.constantFrom('meta', 'top-level', 'both'),
  cursorType: fc.constantFrom('string', 'number'),
  cursorBase: fc.constantFrom(0n, 2n ** 53n, 2n ** 64n),
  cursorEnd: fc.constantFrom(null, 'null', '""'),
  overlap: fc.constantFrom(0, 1, 2),
  bounds: fc.constantFrom('time', 'midnight', 'date'),
  since: fc.constantFrom('inclusive', 'exclusive', 'ignored'),
  until: fc.constantFrom('inclusive', 'exclusive'),
  order: fc.constantFrom('honoured', 'always-descending', 'descending-pages', 'by-id'),
  maxLimit: fc.constantFrom(3, 5, 300),
  pretty: fc.boolean(),
});

/** Whether the settings let a request see one event. */
function isIn({ at, visibleFrom }: SourceEvent, settings: SourceSettings, range: { since: number; until: number }) {
  const { since, until } = range;
  if ((visibleFrom ?? 0) > NOW) return false;
  if (at === null) return true;
  const day = (ms: number) => Math.floor(ms / DAY_MS) * DAY_MS;
  const event = settings.bounds === 'date' ? day(at) : at;
  const [from, to] = settings.bounds === 'time' ? [since, until] : [day(since), day(until)];
  const afterFrom = settings.since === 'ignored' || (settings.since === 'inclusive' ? event >= from : event > from);
  return afterFrom && (settings.until === 'inclusive' ? event <= to : event < to);
}

const ASCEND: readonly SourceSettings['order'][] = ['honoured', 'by-id'];

function compare(a: SourceEvent, b: SourceEvent, byId: boolean): number {
  const difference = byId ? 0 : (a.at ?? 0) - (b.at ?? 0);
  return difference === 0 ? a.row - b.row : difference;
}

test('a walk returns every event of the range in the order of the settings, and repeats only the rows that overlap', async () => {
  const shape = fc.constantFrom('contract', 'reality');
  const property = fc.asyncProperty(
    fc.record({ events, changes, since: instant, until: instant, asc: fc.boolean(), shape }),
    async ({ events, changes, since, until, asc, shape }) => {
      const settings = sourceSettings(shape, KEY, changes);
      const model = createSourceModel(createTable(events), settings);
      const range = { since: new Date(since).toISOString(), until: new Date(until).toISOString() };
      const pages: string[][] = [];
      await walk(
        (parameters) => {
          const query = new URLSearchParams(parameters);
          const request = { path: '/audit/logs', query, headers: { 'x-api-key': KEY } };
          const body = model.answer(request, new Date(NOW)).body.toString();
          pages.push(trailsOf(body));
          return body;
        },
        { ...range, orderBy: asc ? 'asc' : 'desc', limit: '4' },
      );

      const wanted = events
        .filter((event) => isIn(event, settings, { since, until }))
        .sort((a, b) => compare(a, b, settings.order === 'by-id') * (asc && ASCEND.includes(settings.order) ? 1 : -1))
        .map(({ raw }) => raw);
      const served = settings.order === 'descending-pages' ? pages.map((page) => page.toReversed()) : pages;
      const texts = served.flat().map((text) => text.replace(/\s/g, ''));
      expect([...new Set(texts)]).toEqual(wanted);
      if (settings.overlap === 0) expect(texts).toEqual(wanted);
    },
  );
  await fc.assert(property, { numRuns: 1500 });
});
