/** How far a run has come, in every case. Each row is a run. `12T11:30` is 11:30 UTC on 12 June 2026. */
import fc from 'fast-check';
import {
  batchCommitted,
  beginProgress,
  daySwept,
  isNearlyForgotten,
  isStuck,
  type Progress,
  pageRead,
  positionOf,
  windowOf,
} from '../../lambdas/archiver/progress';
import type { Manifest } from '../../lambdas/shared/manifest';
import { addMs, DAY_MS, later } from '../../lambdas/shared/time';
import { aManifest } from '../support/manifest';

/** When every run begins, and the oldest instant that its source keeps: 180 days before, plus a minute. */
const STARTED = '12T12:00';
const OLDEST = '2025-12-14T12:01';
/** The end of the walk lies days ahead, so the last page of a complete walk claims this instant. */
const END = '15T00:00';

type Step = (progress: Progress) => Progress;

/** The previous manifest. Its run is complete unless a row says otherwise, so it has read up to its walk start. */
interface Previous {
  readonly position: string;
  readonly window?: readonly [from: string, to: string];
  readonly walkStart?: string;
  readonly start?: string;
  readonly reason?: Manifest['run']['reason'];
}

/** A row without steps is a run that reads all in one page, and a row without `previous` follows a steady run. */
interface Row {
  readonly name: string;
  readonly previous?: Previous;
  readonly startDate?: string;
  /** The start of the last walk that read the whole lookback: that of the previous run, unless stated. */
  readonly lastFullWalk?: string;
  readonly lookbackHours?: number;
  readonly steps?: readonly Step[];
  readonly expected: Partial<ReturnType<typeof factsOf>>;
}

/** A run whose position is an hour old, as nearly all are. It has a lookback of six hours. */
const steady: Previous = { position: '12T11:00', window: ['12T05:00', '12T11:00'] };

/** The last of the short walks of a schedule of a quarter of an hour. */
const quarterly: Previous = { position: '12T11:45', window: ['12T11:15', '12T11:45'] };

const firstRuns: readonly Row[] = [
  {
    name: 'a first run without a start date begins with the oldest instant that the source keeps',
    expected: { chainStart: OLDEST, window: [OLDEST, STARTED], position: STARTED, gaps: [] },
  },
  {
    name: 'a first run without a start date moves the start of the chain to where the source turns out to begin',
    steps: [page(END, { keptFrom: '2026-03-14T12:05' })],
    expected: { chainStart: '2026-03-14T12:05', window: ['2026-03-14T12:05', STARTED], position: STARTED, gaps: [] },
  },
  {
    name: 'a first run records forgotten time as a gap once it has committed',
    steps: [page(OLDEST), batchCommitted, page(OLDEST, { keptFrom: '2025-12-14T18:00' })],
    expected: { chainStart: OLDEST, position: '2025-12-14T18:00', gaps: [[OLDEST, '2025-12-14T18:00']] },
  },
  {
    name: 'a first run with a start date that the source no longer keeps has a gap from there',
    startDate: '2025-06-01T00:00',
    expected: { chainStart: '2025-06-01T00:00', window: [OLDEST, STARTED], gaps: [['2025-06-01T00:00', OLDEST]] },
  },
  {
    name: 'a first run with a start date of this instant has nothing to read yet, and is at its position',
    startDate: STARTED,
    expected: { chainStart: STARTED, window: [STARTED, STARTED], position: STARTED, gaps: [] },
  },
];

const laterRuns: readonly Row[] = [
  {
    name: 'a steady run reads the lookback again and comes to where its walk began',
    expected: { readFrom: '12T05:00', position: STARTED, window: ['12T05:00', STARTED], isStuck: false },
  },
  {
    name: 'a run that has read only a part of the lookback stays at its position',
    steps: [page('12T08:00')],
    expected: { readUntil: '12T08:00', position: '12T11:00', window: ['12T05:00', '12T08:00'] },
  },
  {
    name: 'a run looks for late events from the start of the last complete walk, which may be before the position',
    previous: { ...steady, walkStart: '12T10:50', window: ['12T04:50', '12T10:50'] },
    expected: { readFrom: '12T04:50', position: STARTED, gaps: [] },
  },
  {
    name: 'a run less than 55 minutes after the last full walk reads a quarter of an hour before the last walk again',
    previous: quarterly,
    lastFullWalk: '12T11:06',
    expected: { readFrom: '12T11:30', position: STARTED, window: ['12T11:30', STARTED] },
  },
  {
    name: 'a run 55 minutes after the last full walk reads from its start, minus the lookback',
    previous: quarterly,
    lastFullWalk: '12T11:05',
    expected: { readFrom: '12T05:05', position: STARTED, window: ['12T05:05', STARTED] },
  },
  {
    name: 'a run less than 55 minutes after the last full walk reads no more than a short lookback again',
    previous: quarterly,
    lastFullWalk: '12T11:45',
    lookbackHours: 0.1,
    expected: { readFrom: '12T11:39' },
  },
  {
    name: 'a run that follows a walk from long ago reads from the last full walk, and not from a walk since',
    previous: { ...quarterly, position: '11T11:45', walkStart: '11T11:45' },
    lastFullWalk: '11T11:15',
    expected: { readFrom: '11T05:15' },
  },
  {
    name: 'a run that resumes a short walk reads the whole lookback before the last full walk',
    previous: { ...quarterly, window: ['12T11:15', '12T11:20'], reason: 'deadline' },
    lastFullWalk: '12T11:30',
    expected: { readFrom: '12T05:30' },
  },
  {
    name: 'an interrupted run has come to what its last page claims',
    steps: [page('12T11:20'), page('12T11:30')],
    expected: { position: '12T11:30', window: ['12T05:00', '12T11:30'] },
  },
  {
    name: 'a resumed run reads on from the very instant where the interrupted walk was short',
    previous: { position: '10T08:00', window: ['10T00:00', '10T08:00'], walkStart: '12T11:00', reason: 'deadline' },
    steps: [page('10T16:00')],
    expected: { readFrom: '10T08:00', position: '10T16:00', isStuck: false },
  },
  {
    name: 'a resumed run reads the lookback again where the interrupted walk was more than twice as long',
    previous: { position: '10T08:00', window: ['09T19:59', '10T08:00'], walkStart: '12T11:00', reason: 'deadline' },
    steps: [page('10T01:00')],
    expected: { readFrom: '10T02:00', position: '10T08:00' },
  },
  {
    name: 'a resumed run never reads from later than a lookback before the interrupted walk began',
    previous: { ...steady, walkStart: '12T11:00', window: ['12T05:00', '12T09:00'], reason: 'deadline' },
    steps: [],
    expected: { readFrom: '12T05:00', position: '12T11:00' },
  },
  {
    name: 'a resumed run goes back to where the walk was proved to be, although the position is later',
    previous: { ...steady, walkStart: '12T12:00', window: ['12T05:00', '12T05:00'], reason: 'deadline' },
    steps: [],
    expected: { readFrom: '12T05:00', position: '12T11:00' },
  },
  {
    name: 'a claim that a later page disproves is taken back, but not below the previous position',
    steps: [page('12T11:20'), page('12T11:30'), page('12T05:00')],
    expected: { readUntil: '12T05:00', position: '12T11:00', window: ['12T05:00', '12T05:00'], isStuck: true },
  },
  {
    name: 'a claim that is committed stays the position, although a later page disproves it',
    steps: [page('12T11:20'), page('12T11:30'), batchCommitted, page('12T05:00')],
    expected: { readUntil: '12T05:00', position: '12T11:30', window: ['12T05:00', '12T05:00'], isStuck: false },
  },
  {
    name: 'a window whose pages have no order is claimed when its last page has been read',
    steps: [page('12T05:00'), page('12T05:00'), page(END)],
    expected: { position: STARTED, isStuck: false },
  },
  {
    name: 'a clock that runs ahead is bounded by the clock of the source',
    steps: [page(END, { serverTime: '12T11:40' })],
    expected: { walkStart: '12T11:40', position: '12T11:40' },
  },
  {
    name: 'a clock that runs ahead is bounded by the first page only',
    steps: [page('12T11:10', { serverTime: '12T11:40' }), page(END, { serverTime: '12T11:20' })],
    expected: { walkStart: '12T11:40', position: '12T11:40' },
  },
  {
    name: 'a server whose clock runs ahead bounds nothing',
    steps: [page(END, { serverTime: '13T11:40' })],
    expected: { walkStart: STARTED, position: STARTED },
  },
  {
    name: 'a position ahead of the clock stays where it is',
    previous: { position: '12T18:00' },
    steps: [page(END), batchCommitted],
    expected: { walkStart: STARTED, readUntil: STARTED, position: '12T18:00', gaps: [] },
  },
  {
    name: 'an outage that is longer than the source keeps events leaves a gap',
    previous: { position: '2025-12-01T00:00', start: '2025-11-01T00:00' },
    expected: { chainStart: '2025-11-01T00:00', gaps: [['2025-12-01T00:00', OLDEST]], window: [OLDEST, STARTED] },
  },
  {
    name: 'an outage that is shorter than the source keeps events leaves no gap, although the lookback is forgotten',
    previous: { position: '2025-12-14T13:00' },
    expected: { readFrom: '2025-12-14T07:00', gaps: [], window: [OLDEST, STARTED] },
  },
  {
    name: 'a gap is recorded once, in however many batches the run goes on',
    previous: { position: '2025-12-01T00:00' },
    steps: [page('2026-01-01T00:00'), batchCommitted, page('2026-02-01T00:00')],
    expected: { gaps: [], position: '2026-02-01T00:00' },
  },
  {
    name: 'a gap that grows before it is committed is recorded with what it has grown by',
    previous: { position: '2025-12-01T00:00' },
    steps: [page(OLDEST), page(OLDEST, { keptFrom: '2025-12-14T18:00' })],
    expected: {
      gaps: [
        ['2025-12-01T00:00', OLDEST],
        [OLDEST, '2025-12-14T18:00'],
      ],
      position: '2025-12-14T18:00',
    },
  },
  {
    name: 'time that was read before the source forgot it is no gap',
    previous: { position: '2025-12-14T13:00' },
    steps: [page('2025-12-15T00:00'), page('2025-12-15T01:00', { keptFrom: '2025-12-14T18:00' })],
    expected: { gaps: [], position: '2025-12-15T01:00', window: ['2025-12-14T18:00', '2025-12-15T01:00'] },
  },
  {
    name: 'a run without a sweep leaves the turn to the next run',
    steps: [page(END), batchCommitted],
    expected: { sweepTurn: 7, sweptAt: '12T06:00' },
  },
  {
    name: 'a sweep takes its turn at the start of the walk of its run, and moves no position',
    steps: [page(END, { serverTime: '12T11:40' }), daySwept],
    expected: { sweepTurn: 8, sweptAt: '12T11:40', position: '12T11:40' },
  },
];

test.each(firstRuns)('$name', ({ startDate, steps, expected }) => {
  expect(factsOf(taking(begin(undefined, startDate), steps))).toMatchObject(expected);
});

test.each(laterRuns)('$name', ({ previous = steady, steps, expected, ...options }) => {
  expect(factsOf(taking(begin(manifestOf(previous), undefined, options), steps))).toMatchObject(expected);
});

test('a start date in the future is refused', () => {
  expect(() => begin(undefined, '12T12:01')).toThrow(expect.objectContaining({ code: 'start-date-in-future' }));
});

test.each([
  {
    name: 'several runs read a burst that is longer than each of them, with a lookback between long walks',
    claims: ['04T00:00', '07T00:00'],
    readFrom: ['2026-05-31T18:00', '03T18:00', '06T18:00'],
  },
  {
    name: 'several runs read a burst that is longer than each of them, without a lookback between short walks',
    claims: ['01T03:00', '01T08:00'],
    readFrom: ['2026-05-31T18:00', '01T03:00', '01T08:00'],
  },
])('$name', ({ claims, readFrom }) => {
  let previous = manifestOf({ position: '01T00:00' });
  const runs = [...claims, END].map((claim) => {
    const facts = factsOf(page(claim)(begin(previous)));
    const { position, window, walkStart } = facts;
    previous = manifestOf({ position, window, walkStart, reason: 'deadline' });
    return facts;
  });
  expect(runs.map((facts) => facts.readFrom)).toEqual(readFrom);
  expect(runs.map(({ position }) => position)).toEqual([...claims, STARTED]);
});

test('whatever pages come, a recorded position never moves back nor passes the walk start, and no gap is empty', () => {
  const minutes = fc.integer({ min: -200 * 24 * 60, max: 3 * 24 * 60 });
  const instant = minutes.map((after) => addMs(at(STARTED), after * 60_000));
  const past = instant.map((drawn) => (drawn > at(STARTED) ? at(STARTED) : drawn));
  const serverTime = fc.option(
    fc.integer({ min: -2 * 24 * 60, max: 2 * 24 * 60 }).map((after) => addMs(at(STARTED), after * 60_000)),
    { nil: undefined },
  );
  // The source never forgets what is younger than two days.
  const keptFrom = instant.map((drawn) => (drawn > addMs(at(STARTED), -2 * DAY_MS) ? at(OLDEST) : drawn));
  const drawnPage = fc.record({ claim: instant, keptFrom, serverTime });
  const steps = fc.array(fc.option(drawnPage, { nil: undefined, freq: 3 }), { maxLength: 10 });
  const beginnings = fc.oneof(
    fc.record({ position: instant }).map(({ position }) => begin(manifestOf({ position: told(position) }))),
    fc.option(past, { nil: undefined }).map((startDate) => begin(undefined, startDate && told(startDate))),
  );
  const property = fc.property(beginnings, steps, (begun, drawn) => {
    let progress = begun;
    let recorded = positionOf(begun);
    for (const step of drawn) {
      const before = structuredClone(progress);
      const next = step === undefined ? batchCommitted(progress) : pageRead(progress, step);
      expect(progress).toEqual(before);
      expect(positionOf(next) >= recorded).toBe(true);
      expect(positionOf(next) <= later(next.walkStart, positionOf(begun))).toBe(true);
      expect(next.gaps.every(({ from, to }) => from < to)).toBe(true);
      expect(windowOf(next).from <= windowOf(next).to).toBe(true);
      if (step === undefined) {
        expect(next.gaps).toEqual([]);
        recorded = positionOf(next);
      }
      progress = next;
    }
  });
  fc.assert(property, { numRuns: 150 });
});

test.each<[string, number, Manifest['run']['reason'], string | null, boolean]>([
  ['whose last walk was complete', 151, 'complete', null, true],
  ['that is caught up', 149, 'complete', null, false],
  ['whose first walk is on its way', 179, 'batch-full', null, false],
  ['that has swept, and is on its way again', 151, 'deadline', '2026-06-12T12:00:01.000Z', true],
])('the source will soon forget what follows the head of a chain %s, %d days back: told after %s, swept at %s: %p', (_, days, reason, sweptAt, isTold) => {
  const head = aManifest({ sweptAt, run: { ...aManifest().run, reason } });
  expect(isNearlyForgotten(head, addMs(new Date(head.position), days * DAY_MS))).toBe(isTold);
});

function begin(
  previous: Manifest | undefined,
  startDate?: string,
  { lastFullWalk, lookbackHours = 6 }: Pick<Row, 'lastFullWalk' | 'lookbackHours'> = {},
): Progress {
  return beginProgress({
    previous,
    startedAt: at(STARTED),
    startDate: startDate === undefined ? undefined : at(startDate),
    lookbackHours,
    lastFullWalk: lastFullWalk === undefined ? previous && new Date(previous.run.walkStart) : at(lastFullWalk),
  });
}

function taking(begun: Progress, steps: readonly Step[] = [page(END)]): Progress {
  return steps.reduce((progress, step) => step(progress), begun);
}

function page(claim: string, more: { readonly keptFrom?: string; readonly serverTime?: string } = {}): Step {
  return (progress) => {
    const keptFrom = more.keptFrom === undefined ? progress.keptFrom : at(more.keptFrom);
    const serverTime = more.serverTime === undefined ? undefined : at(more.serverTime);
    return pageRead(progress, { claim: at(claim), keptFrom, serverTime });
  };
}

function manifestOf({
  position,
  window,
  walkStart = position,
  start = '2025-12-01T00:00',
  reason = 'complete',
}: Previous): Manifest {
  const [from, to] = window ?? [position, position];
  return aManifest({
    position: iso(position),
    window: { from: iso(from), to: iso(to) },
    run: { ...aManifest().run, walkStart: iso(walkStart), reason },
    start: iso(start),
    sweepTurn: 7,
    sweptAt: iso('12T06:00'),
  });
}

function factsOf(progress: Progress) {
  const { from, to } = windowOf(progress);
  return {
    chainStart: told(progress.chainStart),
    walkStart: told(progress.walkStart),
    readFrom: told(progress.readFrom),
    readUntil: told(progress.readUntil),
    keptFrom: told(progress.keptFrom),
    position: told(positionOf(progress)),
    window: [told(from), told(to)] as readonly [string, string],
    gaps: progress.gaps.map((gap) => [told(new Date(gap.from)), told(new Date(gap.to))]),
    isStuck: isStuck(progress),
    sweepTurn: progress.sweepTurn,
    sweptAt: progress.sweptAt && told(progress.sweptAt),
  };
}

function at(minute: string): Date {
  return new Date(`${minute.length < 10 ? '2026-06-' : ''}${minute}Z`);
}

function iso(minute: string): string {
  return at(minute).toISOString();
}

function told(instant: Date): string {
  return instant
    .toISOString()
    .replace(/:00\.000Z$/, '')
    .replace(/^2026-06-/, '');
}
