/** Scenarios of what the source holds, and how that changes under the archiver's hands. */
import { ODD_EVENTS } from '../../local/postman/team-odd-events';
import { must, sum } from './chain';
import { DAY, event, HOUR, MINUTE, SECOND, series, text, unfit, type WorldEvent } from './events';
import type { Scenario } from './scenario';
import { hourly, input, NOON, steady, twoPerBatch } from './steady';

/** When the broken run begins, in most scenarios. */
const ONE = NOON + HOUR;
const new3 = series(200, NOON + 10 * MINUTE, 3, MINUTE);

function odd(): WorldEvent[] {
  return ODD_EVENTS.map(({ name, quarantine, raw }, index) => {
    const [row, at] = [300 + index, NOON + 10 * MINUTE + index * SECOND];
    const line = raw(String(row), at);
    return quarantine && !name.includes('new fields') ? unfit(row, at, line) : event(row, at, { raw: line });
  });
}

/** One event with an id's token of its own. */
function withId(row: number, token: string, id: string): WorldEvent {
  return event(row, NOON + 20 * MINUTE, { id, raw: text(row, NOON + 20 * MINUTE, { id: token }) });
}

export const contentScenarios: readonly Scenario[] = [
  {
    name: 'a first run reads all that the source keeps',
    setup: { start: NOON, events: [event(1, NOON - 100 * DAY), ...steady] },
  },
  {
    name: 'there is nothing new',
    setup: { start: NOON, input, events: steady },
    history: hourly,
    check: (world) => must(sum(world, ({ events }) => events) === steady.length, 'no more events than there are'),
  },
  {
    name: 'there are new events',
    // One more before the clean run: what is staged anew is not what was staged.
    setup: { start: NOON, input, events: [...steady, ...new3, event(210, ONE + 30 * MINUTE)] },
    history: hourly,
  },
  {
    name: 'more events share an instant than a page holds',
    setup: { start: NOON, input, source: { maxLimit: 3 }, events: [...steady, ...series(200, NOON + HOUR / 2, 8, 0)] },
    history: hourly,
  },
  {
    name: 'more events share an instant at midnight than a batch holds',
    setup: {
      start: NOON + 12 * HOUR - MINUTE,
      input,
      source: { maxLimit: 2, since: 'exclusive', until: 'exclusive' },
      settings: { ...twoPerBatch, lookbackHours: 0 },
      events: [
        ...steady,
        ...series(200, NOON + 12 * HOUR - SECOND, 5, 0),
        ...series(210, NOON + 12 * HOUR, 5, 0),
        event(220, NOON + 12 * HOUR + MINUTE),
      ],
    },
    history: hourly,
  },
  {
    name: 'a run commits several batches',
    setup: {
      start: NOON,
      input,
      source: { maxLimit: 2 },
      settings: twoPerBatch,
      events: [...steady, ...series(200, NOON + 10 * MINUTE, 5, 10 * SECOND)],
    },
    history: hourly,
  },
  {
    name: 'a first run archives several dates',
    setup: {
      start: NOON,
      input: { startDate: new Date(NOON - 5 * DAY).toISOString() },
      source: { maxLimit: 3 },
      settings: { batchLimits: { events: 4, bytes: 1e9 } },
      events: series(100, NOON - 4 * DAY, 10, 11 * HOUR),
    },
  },
  {
    name: 'events arrive while the run reads pages',
    setup: {
      start: NOON,
      input,
      source: { maxLimit: 2 },
      events: [...steady, ...new3, ...series(300, ONE, 6, SECOND)],
    },
    history: hourly,
  },
  {
    name: 'an event is late, within the lookback',
    setup: {
      start: NOON + 12 * HOUR + MINUTE,
      input,
      // Of the day before the position: it comes into that day's partition.
      events: [...steady, ...new3, event(50, NOON + 11 * HOUR, { visibleFrom: NOON + 12.5 * HOUR })],
    },
    history: hourly,
    check: (world) => {
      must(sum(world, ({ late }) => late) === 1, 'one event is counted as late');
      const under = [...world.objects.keys()].filter((key) => key.startsWith('events/team=main/dt=2026-03-10/'));
      must(under.length === 2, 'it is in its own day');
    },
  },
  {
    name: 'an event is late, beyond the lookback',
    setup: {
      start: NOON,
      // The chain is so young that most sweeps are of yesterday.
      input: { startDate: new Date(NOON - 2.6 * DAY).toISOString() },
      events: [...steady, event(50, NOON - 1.2 * DAY, { visibleFrom: NOON + 1.5 * HOUR })],
    },
    history: async (world) => {
      for (let run = 0; run < 2; run += 1) await hourly(world);
    },
    cleanRuns: 3,
    swept: 1,
    check: (world) => must(sum(world, ({ late }) => late) === 1, 'one event is counted as late'),
  },
  {
    name: 'events are removed at the source',
    setup: {
      start: NOON,
      input,
      // Two while the broken run pages, one after it was archived.
      source: { maxLimit: 2 },
      events: [
        ...steady,
        event(150, NOON - HOUR, { removedAt: NOON + MINUTE }),
        ...series(200, NOON + 10 * MINUTE, 6, MINUTE).map((e) => (e.row % 3 ? e : { ...e, removedAt: ONE + 300 })),
      ],
    },
    history: hourly,
  },
  {
    name: 'events are edited between two runs',
    setup: { start: NOON, input, events: [...steady, ...edited(200, NOON + 10 * MINUTE, ONE + 5 * MINUTE)] },
    history: hourly,
  },
  {
    name: 'events are edited after they were archived, one to another date',
    setup: {
      start: NOON - 11 * HOUR,
      input,
      events: [...edited(200, NOON - 12.5 * HOUR, NOON - 10.5 * HOUR), ...steady],
    },
    history: hourly,
    check: (world) => must(sum(world, (counts) => counts.quarantined.revision) === 2, 'one later body of each is kept'),
  },
  {
    name: 'the only event of a date is edited to another date',
    setup: {
      start: NOON - 11 * HOUR,
      input,
      events: [...edited(200, NOON - 12.5 * HOUR, NOON - 10.5 * HOUR).filter(({ row }) => row === 201), ...steady],
    },
    history: hourly,
  },
  {
    name: 'events vanish at the source and come back',
    setup: {
      start: NOON,
      input,
      source: { maxLimit: 2 },
      settings: twoPerBatch,
      events: [
        ...steady,
        ...series(200, NOON + 10 * MINUTE, 6, MINUTE).map((e) =>
          e.row % 2 ? { ...e, removedAt: ONE + 100, restoredAt: ONE + 10 * MINUTE } : e,
        ),
      ],
    },
    history: hourly,
  },
  {
    name: 'every body differs on every read',
    setup: {
      start: NOON,
      input,
      source: { drift: (raw, request) => raw.replace('"note":""', `"note":"read ${request}"`) },
      events: [...steady, ...new3],
    },
    history: async (world) => {
      for (let run = 0; run < 3; run += 1) await hourly(world);
    },
    cleanRuns: 3,
    check: (world) => must(sum(world, (counts) => counts.quarantined.revision) === 6, 'one later body of each is kept'),
  },
  {
    name: 'events are unusual or malformed',
    setup: { start: NOON, input, events: [...steady, ...odd()] },
    history: hourly,
    cleanRuns: 2,
  },
  {
    name: 'every answer holds lines without a date',
    setup: {
      start: NOON,
      input,
      source: { maxLimit: 2 },
      settings: twoPerBatch,
      events: [...steady, ...new3, unfit(400, null, '{"id":400}'), unfit(401, null, '{"note":"neither"}')],
    },
    history: hourly,
    cleanRuns: 2,
  },
  {
    name: 'ids look alike',
    setup: {
      start: NOON,
      input,
      events: [
        ...steady,
        withId(500, '1', '1'),
        withId(501, '"1"', '1'),
        withId(502, '"01"', '01'),
        withId(503, '9007199254740992', '9007199254740992'),
        withId(504, '9007199254740993', '9007199254740993'),
        withId(505, '"../../x*?"', '../../x*?'),
      ],
    },
    history: hourly,
    cleanRuns: 2,
  },
  {
    // Under a new date the source files it in another place, and serves it once more in the same walk.
    name: 'an event is edited to the next date while the run reads pages',
    setup: {
      start: NOON + 11 * HOUR,
      input,
      source: { maxLimit: 2 },
      settings: twoPerBatch,
      events: [
        ...steady,
        event(200, NOON + 11.5 * HOUR, { removedAt: NOON + 13 * HOUR + 3 * SECOND }),
        ...series(201, NOON + 11.6 * HOUR, 3, MINUTE),
        ...series(210, NOON + 12 * HOUR, 9, MINUTE),
        event(290, NOON + 12.8 * HOUR, {
          id: '200',
          raw: text(200, NOON + 12.8 * HOUR),
          visibleFrom: NOON + 13 * HOUR + SECOND,
        }),
      ],
    },
    history: async (world) => {
      for (let run = 0; run < 2; run += 1) await hourly(world);
    },
  },
  {
    name: 'events are dated in the future',
    setup: {
      start: NOON,
      input,
      events: [
        ...steady,
        ...new3,
        event(600, NOON + 20 * HOUR, { visibleFrom: NOON + 5 * MINUTE }),
        unfit(601, NOON + 2 * DAY, text(601, NOON + 2 * DAY), { id: '601', visibleFrom: NOON + 5 * MINUTE }),
        event(602, ONE + 30 * MINUTE),
      ],
    },
    history: hourly,
    cleanRuns: 2,
  },
  {
    name: 'an event is dated tomorrow, and then today',
    setup: {
      start: NOON,
      input,
      events: [
        ...steady,
        event(600, NOON + 20 * HOUR, {
          visibleFrom: NOON - MINUTE,
          later: [{ from: NOON + MINUTE, raw: text(600, NOON - MINUTE) }],
        }),
      ],
    },
    history: hourly,
  },
];

/** Two events that get other bodies: one also another date, within the lookback. */
function edited(row: number, at: number, from: number): WorldEvent[] {
  const note = 'changed';
  return [
    event(row, at, { later: [{ from, raw: text(row, at, { note }) }] }),
    event(row + 1, at, { later: [{ from, raw: text(row + 1, at + 2 * HOUR, { note }) }] }),
    event(row + 2, at),
  ];
}
