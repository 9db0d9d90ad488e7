/** Scenarios of the events that the source holds, and of their changes while the archiver runs. */
import { ODD_EVENTS } from '../../local/postman/team-odd-events';
import { must, sum } from './chain';
import { DAY, event, HOUR, MINUTE, SECOND, series, text, unfit, type WorldEvent } from './events';
import type { Scenario } from './scenario';
import { daysBefore, hourly, NOON, ONE, perBatch, scenario, small, steady, twoPerBatch, twoPerPage } from './steady';
import type { World } from './world';

const new3 = series(200, NOON + 10 * MINUTE, 3, MINUTE);
const new6 = series(200, NOON + 10 * MINUTE, 6, MINUTE);

/** Events that get another body when the first run is long over. */
const editedLater = edited(200, NOON - 12.5 * HOUR, NOON - 10.5 * HOUR);

export const contentScenarios: readonly Scenario[] = [
  {
    name: 'a first run reads all that the source keeps',
    start: NOON,
    events: [event(1, NOON - 100 * DAY), ...steady],
  },
  scenario('there is nothing new', {
    check: (world) => must(sum(world, ({ events }) => events) === steady.length, 'no event is archived twice'),
  }),
  // One event appears before the clean run, so that its batch differs from the batch of the broken run.
  scenario('there are new events', { more: [...new3, event(210, ONE + 30 * MINUTE)] }),
  scenario('more events share an instant than a page holds', {
    source: { maxLimit: 3 },
    more: series(200, NOON + HOUR / 2, 8, 0),
  }),
  scenario('more events share an instant at midnight than a batch holds', {
    start: NOON + 12 * HOUR - MINUTE,
    source: { maxLimit: 2, since: 'exclusive', until: 'exclusive' },
    settings: { ...twoPerBatch, lookbackHours: 0 },
    more: [
      ...series(200, NOON + 12 * HOUR - SECOND, 5, 0),
      ...series(210, NOON + 12 * HOUR, 5, 0),
      event(220, NOON + 12 * HOUR + MINUTE),
    ],
  }),
  scenario('a run commits several batches', { ...small, more: series(200, NOON + 10 * MINUTE, 5, 10 * SECOND) }),
  {
    name: 'a first run archives several dates',
    start: NOON,
    input: { startDate: daysBefore(5) },
    source: { maxLimit: 3 },
    settings: perBatch(4),
    events: series(100, NOON - 4 * DAY, 10, 11 * HOUR),
  },
  scenario('events arrive while the run reads pages', {
    ...twoPerPage,
    more: [...new3, ...series(300, ONE, 6, SECOND)],
  }),
  scenario('an event is late, within the lookback', {
    start: NOON + 12 * HOUR + MINUTE,
    // The late event belongs to the day before the position, and so to the partition of that day.
    more: [...new3, event(50, NOON + 11 * HOUR, { visibleFrom: NOON + 12.5 * HOUR })],
    check: (world) => {
      oneIsLate(world);
      const under = [...world.objects.keys()].filter((key) => key.startsWith('events/team=main/dt=2026-03-10/'));
      must(under.length === 2, 'the late event is in the partition of its own day');
    },
  }),
  scenario('an event is late, beyond the lookback', {
    // The chain is so young that most sweeps read yesterday.
    input: { startDate: daysBefore(2.6) },
    more: [event(50, NOON - 1.2 * DAY, { visibleFrom: NOON + 1.5 * HOUR })],
    history: (world) => hourly(world, 2),
    cleanRuns: 3,
    swept: 1,
    check: oneIsLate,
  }),
  scenario('events are removed at the source', {
    ...twoPerPage,
    // One event is removed after it was archived, and two while the broken run reads pages.
    more: [
      event(150, NOON - HOUR, { removedAt: NOON + MINUTE }),
      ...new6.map((e) => (e.row % 3 ? e : { ...e, removedAt: ONE + 300 })),
    ],
  }),
  scenario('events are edited between two runs', { more: edited(200, NOON + 10 * MINUTE, ONE + 5 * MINUTE) }),
  scenario('events are edited after they were archived, one to another date', {
    start: NOON - 11 * HOUR,
    events: [...editedLater, ...steady],
    check: (world) => keepsRevisions(world, 2),
  }),
  scenario('the only event of a date is edited to another date', {
    start: NOON - 11 * HOUR,
    events: [...editedLater.filter(({ row }) => row === 201), ...steady],
  }),
  scenario('events vanish at the source and come back', {
    ...small,
    more: new6.map((e) => (e.row % 2 ? { ...e, removedAt: ONE + 100, restoredAt: ONE + 10 * MINUTE } : e)),
  }),
  scenario('every body differs on every read', {
    source: { drift: (raw, request) => raw.replace('"note":""', `"note":"read ${request}"`) },
    more: new3,
    history: (world) => hourly(world, 3),
    cleanRuns: 3,
    check: (world) => keepsRevisions(world, 6),
  }),
  scenario('events are unusual or malformed', { more: odd(), cleanRuns: 2 }),
  scenario('every answer holds lines without a date', {
    ...small,
    more: [...new3, unfit(400, null, '{"id":400}'), unfit(401, null, '{"note":"neither"}')],
    cleanRuns: 2,
  }),
  scenario('ids look alike', {
    more: [
      withId(500, '1', '1'),
      withId(501, '"1"', '1'),
      withId(502, '"01"', '01'),
      withId(503, '9007199254740992', '9007199254740992'),
      withId(504, '9007199254740993', '9007199254740993'),
      withId(505, '"../../x*?"', '../../x*?'),
    ],
    cleanRuns: 2,
  }),
  // The source files the edited event under its new date, and serves it a second time in the same walk.
  scenario('an event is edited to the next date while the run reads pages', {
    start: NOON + 11 * HOUR,
    ...small,
    more: [
      event(200, NOON + 11.5 * HOUR, { removedAt: NOON + 13 * HOUR + 3 * SECOND }),
      ...series(201, NOON + 11.6 * HOUR, 3, MINUTE),
      ...series(210, NOON + 12 * HOUR, 9, MINUTE),
      event(290, NOON + 12.8 * HOUR, {
        id: '200',
        raw: text(200, NOON + 12.8 * HOUR),
        visibleFrom: NOON + 13 * HOUR + SECOND,
      }),
    ],
    history: (world) => hourly(world, 2),
  }),
  scenario('events are dated in the future', {
    more: [
      ...new3,
      event(600, NOON + 20 * HOUR, { visibleFrom: NOON + 5 * MINUTE }),
      unfit(601, NOON + 2 * DAY, text(601, NOON + 2 * DAY), { id: '601', visibleFrom: NOON + 5 * MINUTE }),
      event(602, ONE + 30 * MINUTE),
    ],
    cleanRuns: 2,
  }),
  scenario('an event is dated tomorrow, and then today', {
    more: [
      event(600, NOON + 20 * HOUR, {
        visibleFrom: NOON - MINUTE,
        later: [{ from: NOON + MINUTE, raw: text(600, NOON - MINUTE) }],
      }),
    ],
  }),
];

function oneIsLate(world: World): void {
  must(sum(world, ({ late }) => late) === 1, 'one event is counted as late');
}

function keepsRevisions(world: World, revisions: number): void {
  must(sum(world, ({ quarantined }) => quarantined.revision) === revisions, 'one later body of each event is kept');
}

function odd(): WorldEvent[] {
  return ODD_EVENTS.map(({ name, quarantine, raw }, index) => {
    const [row, at] = [300 + index, NOON + 10 * MINUTE + index * SECOND];
    const line = raw(String(row), at);
    return quarantine && !name.includes('new fields') ? unfit(row, at, line) : event(row, at, { raw: line });
  });
}

/** An event whose text holds the given token as its id. */
function withId(row: number, token: string, id: string): WorldEvent {
  return event(row, NOON + 20 * MINUTE, { id, raw: text(row, NOON + 20 * MINUTE, { id: token }) });
}

/** Three events. Two of them get other bodies, and one of these another date, within the lookback. */
function edited(row: number, at: number, from: number): WorldEvent[] {
  const note = 'changed';
  return [
    event(row, at, { later: [{ from, raw: text(row, at, { note }) }] }),
    event(row + 1, at, { later: [{ from, raw: text(row + 1, at + 2 * HOUR, { note }) }] }),
    event(row + 2, at),
  ];
}
