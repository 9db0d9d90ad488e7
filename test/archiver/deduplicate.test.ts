import { createIntake, type IntakeOptions } from '../../lambdas/archiver/intake';
import { type AuditEvent, MAX_LINE_BYTES, readEvent } from '../../lambdas/shared/event';
import { segmentKey } from '../../lambdas/shared/object-keys';
import { compress, joinLines } from '../../lambdas/shared/segment';
import { memoryStore } from '../support/memory-store';

const walkStart = new Date('2026-06-12T12:00:00.250Z');
const nothingHeld = { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 };

function parse(line: string): AuditEvent {
  return readEvent(Buffer.from(line));
}

function event(id: string | number, timestamp = '2026-06-12T10:00:00.000Z', more = ''): AuditEvent {
  return parse(`{"id":${id},"timestamp":"${timestamp}"${more}}`);
}

const ofTeam = (team: string | number) => `,"data":{"team":{"id":${team}}}`;

function stored(
  area: 'events' | 'quarantine',
  lines: Readonly<Record<string, readonly AuditEvent[]>>,
): Map<string, Buffer> {
  const entries = Object.entries(lines).map(
    ([date, events]) =>
      [segmentKey(area, 'main', date, 1), compress(joinLines(events.map(({ line }) => line)))] as const,
  );
  return new Map(entries);
}

function intakeOf(options: Partial<IntakeOptions> & { readonly objects?: ReadonlyMap<string, Buffer> } = {}) {
  const { objects = new Map<string, Buffer>(), ...changes } = options;
  const store = memoryStore({ objects });
  let requests = 5;
  const intake = createIntake({
    team: 'main',
    store,
    source: { tally: () => ({ requests, throttled: 0 }) },
    lateBefore: new Date('2026-06-12T09:00:00Z'),
    lookbackDates: ['2026-06-12'],
    previousWalkStart: undefined,
    sourceTeams: [],
    acceptOtherTeam: false,
    batchLimits: { events: 1000, bytes: 1e8 },
    ...changes,
  });
  return { intake, store, request: () => (requests += 1) };
}

test('a new event is drafted, and counted late where it is older than the position', async () => {
  const { intake } = intakeOf();
  const admitted = await intake.admit(
    [event(1), event(2, '2026-06-12T09:00:00Z'), event(3, '2026-06-12T08:59:59.999Z')],
    walkStart,
  );
  expect(admitted.map(({ standing, date }) => `${standing} ${date}`)).toEqual(new Array(3).fill('new 2026-06-12'));
  const { draft, counts } = await intake.take();
  expect(draft.events.map(({ id }) => id)).toEqual(['1', '2', '3']);
  expect(counts).toMatchObject({ events: 3, late: 1, known: 0, revisions: 0, quarantined: nothingHeld });
});

test('on a first run nothing is late', async () => {
  const { intake } = intakeOf({ lateBefore: undefined });
  await intake.admit([event(1, '2026-01-01T00:00:00Z')], walkStart);
  expect((await intake.take()).counts).toMatchObject({ events: 1, late: 0 });
});

test('the same event on two pages is archived once', async () => {
  const { intake } = intakeOf();
  await intake.admit([event(1), event(2)], walkStart);
  const again = await intake.admit([event(2), event(3)], walkStart);
  expect(again.map(({ standing }) => standing)).toEqual(['known', 'new']);
  expect((await intake.take()).counts).toMatchObject({ events: 3, known: 1, pages: 2 });
});

test('a revision is held, whichever way it is told', async () => {
  const { intake } = intakeOf({ objects: stored('events', { '2026-06-12': [event(1), event(2)] }) });
  await intake.admit(
    [event(1), event('"1"'), event(2, '2026-06-12T10:00:00.000Z', ',"x":1'), event(2, undefined, ',"x":2')],
    walkStart,
  );
  const { draft, counts } = await intake.take();
  expect(draft.events).toEqual([]);
  expect([...draft.held.values()].map(({ event: { line } }) => String(line))).toEqual([
    String(event('"1"').line),
    String(event(2, undefined, ',"x":1').line),
  ]);
  expect(counts).toMatchObject({ known: 1, revisions: 3, quarantined: { ...nothingHeld, revision: 2 } });
});

test('a revision that is quarantined already is counted, and not held again', async () => {
  const objects = new Map([
    ...stored('events', { '2026-06-12': [event(1)] }),
    ...stored('quarantine', { '2026-06-12': [event(1, undefined, ',"x":1')] }),
  ]);
  const { intake } = intakeOf({ objects });
  await intake.admit([event(1, undefined, ',"x":2')], walkStart);
  const { draft, counts } = await intake.take();
  expect(draft.held.length).toBe(0);
  expect(counts).toMatchObject({ known: 0, revisions: 1, quarantined: nothingHeld });
});

describe('what may not enter events/', () => {
  const oversize = parse(`{"id":9,"timestamp":"2026-06-12T10:00:00Z","x":"${'x'.repeat(MAX_LINE_BYTES)}"}`);
  const cases: readonly [string, AuditEvent][] = [
    ['no-id', parse('{"timestamp":"2026-06-12T10:00:00Z"}')],
    ['no-id', parse('{"id":null,"timestamp":"2026-06-12T10:00:00Z"}')],
    ['no-id', parse('{"id":"","timestamp":"2026-06-12T10:00:00Z"}')],
    ['no-id', parse('17')],
    ['bad-timestamp', parse('{"id":9}')],
    ['bad-timestamp', parse('{"id":9,"timestamp":1781254800000}')],
    ['bad-timestamp', event(9, '2026-06-31T10:00:00Z')],
    ['bad-timestamp', event(9, '2026-06-12T23:59:60Z')],
    ['out-of-range', event(9, '2019-12-31T23:59:59.999Z')],
    ['out-of-range', event(9, '2026-06-13T12:00:00.251Z')],
    ['oversize', oversize],
  ];

  test.each(cases)('is held, with its reason: %s', async (reason, odd) => {
    const { intake } = intakeOf();
    expect(await intake.admit([odd], walkStart)).toEqual([]);
    const { draft, counts } = await intake.take();
    const [held] = draft.held.values();
    expect(held?.reason).toBe(reason);
    expect(held?.event.line.equals(odd.line)).toBe(true);
    expect(counts).toMatchObject({ events: 0, quarantined: { ...nothingHeld, [reason]: 1 } });
  });

  test('is held once, however often it is served: then it is known', async () => {
    const [odd, anonymous] = [event(9, 'soon'), parse('{"x":1}')];
    const { intake } = intakeOf({ objects: stored('quarantine', { '2026-06-12': [odd, anonymous] }) });
    await intake.admit([odd, anonymous], walkStart);
    const { draft, counts } = await intake.take();
    expect(draft.held.length).toBe(0);
    expect(counts).toMatchObject({ known: 2, quarantined: nothingHeld });
  });

  test('is held once in one batch, too', async () => {
    const { intake } = intakeOf();
    await intake.admit([event(9, 'soon'), parse('{"x":1}')], walkStart);
    await intake.admit([event(9, 'soon'), parse('{"x":1}')], walkStart);
    const { draft, counts } = await intake.take();
    expect(draft.held.length).toBe(2);
    expect(counts).toMatchObject({ known: 2, quarantined: { 'no-id': 1, 'bad-timestamp': 1 } });
  });

  test.each([
    ['its own date', event(9, '2026-03-04T10:00:00Z', ',"x":1'), undefined, '2026-03-04'],
    ['the walk start where it has no instant', event(9, 'soon'), undefined, '2026-06-12'],
    ['the walk start where its instant is out of range', event(9, '9999-01-01T00:00:00Z'), undefined, '2026-06-12'],
    ['the swept day where it has no instant', event(9, 'soon'), '2026-04-05', '2026-04-05'],
    ['its own date, although a sweep met it', event(9, '2026-03-04T10:00:00Z', ',"x":1'), '2026-04-05', '2026-03-04'],
  ])('goes into the partition of %s', async (_, odd, sweptDate, date) => {
    const { intake } = intakeOf({ objects: stored('events', { '2026-03-04': [event(9, '2026-03-04T10:00:00Z')] }) });
    await intake.admit([odd], walkStart, sweptDate);
    expect(intake.take().draft.held.map((held) => held.date)).toEqual([date]);
  });

  test('is looked up in the partitions of the dates met, however many others the quarantine has', async () => {
    const others = Array.from({ length: 50 }, (_, n) => [`2026-0${1 + (n % 5)}-0${1 + (n % 9)}`, [event(n, 'soon')]]);
    const calls = await Promise.all(
      [{}, Object.fromEntries(others)].map(async (days) => {
        const { intake, store } = intakeOf({ objects: stored('quarantine', days) });
        await intake.admit([event(900, 'soon'), parse('{"timestamp":"2026-06-11T10:00:00Z"}')], walkStart);
        return store.calls;
      }),
    );
    expect(calls[0]).toEqual(['list quarantine/team=main/dt=2026-06-12/', 'list quarantine/team=main/dt=2026-06-11/']);
    expect(calls[1]).toEqual(calls[0]);
  });

  test('is known where a run held it since the walk start of the run before', async () => {
    const { intake } = intakeOf({
      objects: stored('quarantine', { '2026-06-10': [event(9, 'soon')] }),
      previousWalkStart: new Date('2026-06-10T23:00:00Z'),
    });
    await intake.admit([event(9, 'soon')], walkStart);
    expect(intake.take().draft.held).toEqual([]);
  });

  test('is known to the sweep of a day where a run held it on that day or on the next', async () => {
    for (const date of ['2026-04-05', '2026-04-06']) {
      const { intake } = intakeOf({ objects: stored('quarantine', { [date]: [event(9, 'soon')] }) });
      await intake.admit([event(9, 'soon')], walkStart, '2026-04-05');
      expect(intake.take().draft.held).toEqual([]);
    }
  });

  test.each(['2020-01-01T00:00:00.000Z', '2026-06-13T12:00:00.250Z'])('is not what is dated %s', async (timestamp) => {
    const { intake } = intakeOf();
    expect(await intake.admit([event(9, timestamp)], walkStart)).toHaveLength(1);
  });
});

test('an event that moved to another date within the lookback is a revision', async () => {
  const { intake } = intakeOf({
    objects: stored('events', { '2026-06-11': [event(1, '2026-06-11T23:00:00Z')] }),
    lookbackDates: ['2026-06-11', '2026-06-12'],
  });
  const [moved] = await intake.admit([event(1)], walkStart);
  expect(moved?.standing).toBe('revision');
});

test('what is taken is counted once, and the next draft begins empty', async () => {
  const { intake, request } = intakeOf({ batchLimits: { events: 2, bytes: 1e8 } });
  request();
  await intake.admit([event(1), event(2)], walkStart);
  expect(intake.isFull()).toBe(true);
  const first = await intake.take();
  expect(intake.isFull()).toBe(false);
  request();
  request();
  await intake.admit([event(2), event(3)], walkStart);
  const second = await intake.take();
  const third = await intake.take();
  expect(first.counts).toMatchObject({ pages: 1, requests: 1, events: 2, known: 0 });
  expect(second.counts).toMatchObject({ pages: 1, requests: 2, events: 1, known: 1 });
  expect(third.counts).toEqual({
    pages: 0,
    requests: 0,
    events: 0,
    late: 0,
    known: 0,
    revisions: 0,
    quarantined: nothingHeld,
  });
});

test('forgetting what was committed asks the archive again', async () => {
  const { intake, store } = intakeOf({ lookbackDates: [] });
  await intake.admit([event(1, '2026-06-10T10:00:00Z')], walkStart);
  const { draft } = await intake.take();
  store.objects.set(
    segmentKey('events', 'main', '2026-06-10', 1),
    compress(joinLines(draft.events.map(({ line }) => line))),
  );
  intake.forgetBefore('2026-06-11');
  const [again] = await intake.admit([event(1, '2026-06-10T10:00:00Z')], walkStart);
  expect(again?.standing).toBe('known');
});

test('the ids of a date are those of the archive', async () => {
  const { intake } = intakeOf({ objects: stored('events', { '2026-06-01': [event(1, '2026-06-01T10:00:00Z')] }) });
  expect([...(await intake.archivedIds('2026-06-01'))]).toEqual(['1']);
  expect([...(await intake.archivedIds('2026-06-02'))]).toEqual([]);
});

describe('the Postman team', () => {
  test('is noted', async () => {
    const { intake } = intakeOf();
    await intake.admit(
      [event(1, undefined, ofTeam(70000002)), event(2, undefined, ofTeam('"70000001"')), event(3)],
      walkStart,
    );
    expect((await intake.take()).sourceTeams).toEqual(['70000001', '70000002']);
  });

  test('that the chain has met is let in, with whatever else comes along', async () => {
    const { intake } = intakeOf({ sourceTeams: ['1'] });
    await intake.admit([event(1), event(2, undefined, ofTeam(2)), event(3, undefined, ofTeam(1))], walkStart);
    await intake.admit([event(4, undefined, ofTeam(3))], walkStart);
    expect((await intake.take()).sourceTeams).toEqual(['1', '2', '3']);
  });

  test('that the chain has never met is refused, before anything is drafted', async () => {
    const { intake } = intakeOf({ sourceTeams: ['1'] });
    await intake.admit([event(1), event(2, 'soon')], walkStart);
    const admitting = intake.admit([event(3), event(4, undefined, ofTeam(2))], walkStart);
    await expect(admitting).rejects.toMatchObject({ code: 'team-mismatch' });
    expect((await intake.take()).draft.events.map(({ id }) => id)).toEqual(['1']);
  });

  test('is compared by its raw token', async () => {
    const { intake } = intakeOf({ sourceTeams: ['9007199254740992'] });
    const admitting = intake.admit([event(1, undefined, ofTeam('9007199254740993'))], walkStart);
    await expect(admitting).rejects.toMatchObject({ code: 'team-mismatch' });
  });

  test('may be another one by a deliberate override', async () => {
    const { intake } = intakeOf({ sourceTeams: ['1'], acceptOtherTeam: true });
    await intake.admit([event(1, undefined, ofTeam(2))], walkStart);
    expect((await intake.take()).sourceTeams).toEqual(['1', '2']);
  });

  test('counts also where only a quarantined event names it', async () => {
    const { intake } = intakeOf({ sourceTeams: ['1'] });
    const admitting = intake.admit([event(1, 'soon', ofTeam(2))], walkStart);
    await expect(admitting).rejects.toMatchObject({ code: 'team-mismatch' });
  });

  test.each([
    ['""'],
    ['"a b"'],
    [`"${'x'.repeat(65)}"`],
    ['"\\u0041"'],
    ['1.5'],
    ['null'],
  ])('is not %s: such a token goes into no manifest', async (token) => {
    const { intake } = intakeOf({ sourceTeams: ['1'] });
    await intake.admit([event(1, undefined, ofTeam(token))], walkStart);
    expect((await intake.take()).sourceTeams).toEqual(['1']);
  });

  test('cannot be told from others by a chain that has met a hundred', async () => {
    const sourceTeams = Array.from({ length: 100 }, (_, n) => String(1000 + n));
    const { intake } = intakeOf({ sourceTeams });
    await intake.admit([event(1, undefined, ofTeam(7))], walkStart);
    expect((await intake.take()).sourceTeams).toEqual(sourceTeams);
  });

  test('is noted for a hundred at most', async () => {
    const { intake } = intakeOf();
    await intake.admit(
      Array.from({ length: 150 }, (_, n) => event(n, undefined, ofTeam(1000 + n))),
      walkStart,
    );
    expect((await intake.take()).sourceTeams).toHaveLength(100);
  });
});
