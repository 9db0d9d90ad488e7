/** The state of a team is computed from manifests and an anchor; each row changes one thing about a good team. */
import { describeTeam } from '../../cli/status-output';
import { type TeamFacts, teamStatus } from '../../cli/status-team';
import type { Anchor } from '../../lambdas/shared/anchor';
import type { Manifest } from '../../lambdas/shared/manifest';
import { addMs, DAY_MS, HOUR_MS, MINUTE_MS } from '../../lambdas/shared/time';
import { aManifest } from '../support/manifest';

const now = new Date('2026-06-12T12:30:00.000Z');
const ago = (ms: number) => addMs(now, -ms).toISOString();

/** A manifest whose run began and ended so long ago. */
function manifestOf(ms: number, fields: Partial<Manifest> = {}, run: Partial<Manifest['run']> = {}): Manifest {
  const at = { walkStart: ago(ms + MINUTE_MS), finished: ago(ms) };
  const drawn = aManifest({ position: at.walkStart, gaps: [], ...fields });
  return { ...drawn, run: { ...drawn.run, id: String(ms), ...at, ...run } };
}

const anchorOf = (verifiedAt: string, through = 0) =>
  ({
    verifiedAt,
    seq: 2,
    scope: { after: 0, through, sha256: null, roundBegan: ago(89 * DAY_MS) },
  }) as unknown as Anchor;

const good: TeamFacts = {
  team: 'main',
  manifests: [manifestOf(2 * HOUR_MS), manifestOf(HOUR_MS, { seq: 3 })],
  verification: { anchor: anchorOf(ago(DAY_MS)), isInChain: true },
  broken: [],
  now,
  silentMs: 3 * HOUR_MS,
  isCopy: false,
};
const gap = { from: ago(300 * DAY_MS), to: ago(299 * DAY_MS), reason: 'retention' as const };

test.each<[string, Partial<TeamFacts>, readonly RegExp[]]>([
  ['is good', {}, []],
  ['never archived', { manifests: [], verification: undefined }, [/^nothing was ever archived$/]],
  ['was silent a little too long', { silentMs: HOUR_MS - 1 }, [/^no run has succeeded for 1 hours$/]],
  ['was silent as long as it may', { silentMs: HOUR_MS }, []],
  ['has a manifest of the future', { manifests: [manifestOf(-HOUR_MS)] }, [/has not come yet/]],
  [
    'has a broken manifest',
    { broken: ['manifests/team=main/0000000001.json'] },
    [/0000000001.json is missing or changed/],
  ],
  [
    'recorded a gap six days ago',
    { manifests: [manifestOf(6 * DAY_MS, { gaps: [gap] }), manifestOf(HOUR_MS)] },
    [/is lost/],
  ],
  ['recorded a gap eight days ago', { manifests: [manifestOf(8 * DAY_MS, { gaps: [gap] }), manifestOf(HOUR_MS)] }, []],
  [
    'was verified three days ago',
    { verification: { anchor: anchorOf(ago(3 * DAY_MS)), isInChain: true } },
    [/no verification was good/],
  ],
  [
    'contradicts its anchor',
    { verification: { anchor: anchorOf(ago(1)), isInChain: false } },
    [/does not hold manifest 2/],
  ],
  ['is new and not verified yet', { verification: undefined }, []],
  [
    'is old and was never verified',
    { verification: undefined, manifests: [manifestOf(3 * DAY_MS), manifestOf(1)] },
    [/no verification was good/],
  ],
  [
    'is a copy without anchors',
    { verification: undefined, isCopy: true, manifests: [manifestOf(3 * DAY_MS), manifestOf(1)] },
    [],
  ],
  [
    'is a copy of a time when it was verified',
    {
      isCopy: true,
      silentMs: 7 * DAY_MS,
      manifests: [manifestOf(5 * DAY_MS)],
      verification: { anchor: anchorOf(ago(6 * DAY_MS)), isInChain: true },
    },
    [],
  ],
])('a team that %s needs a person for just that', (_name, change, problems) => {
  const { needs } = teamStatus({ ...good, ...change });
  expect(needs.map(({ problem }) => problem)).toEqual(problems.map((each) => expect.stringMatching(each)));
  for (const { mend } of needs) expect(mend).not.toBe('');
});

test('the facts of a team are its newest success, its lag, the events of this UTC day, its gaps and its requests', () => {
  const manifests = [manifestOf(8 * DAY_MS, { gaps: [gap] }), manifestOf(HOUR_MS, { seq: 9 })];
  expect(teamStatus({ ...good, manifests })).toMatchObject({
    manifests: 9,
    lastSuccess: ago(HOUR_MS),
    lagMinutes: 61,
    eventsToday: 2,
    codeVersion: '0.1.0',
    gaps: [{ ...gap, recorded: ago(8 * DAY_MS) }],
    backfill: null,
    requests: { ofLastRun: 3, aMinute: 3 },
  });
});

test('where the verifier has too little time, the state tells in how many days every byte is read again', () => {
  const of = (through: number) =>
    teamStatus({ ...good, verification: { anchor: anchorOf(ago(0), through), isInChain: true } });
  expect(of(0).verification?.roundDays).toBe(30);
  expect(of(1).verification?.roundDays).toBe(180);
  expect([...describeTeam(of(1), '')].join('\n')).toContain('every byte is read again in 180 days');
  expect([...describeTeam(of(0), '')].join('\n')).not.toContain('every byte');
});

describe('the backfill', () => {
  /** One manifest in ten minutes, each of which moves the position by so many days, from 100 days ago on. */
  function walk(daysEach: number, manifests: number) {
    return Array.from({ length: manifests }, (_, i) =>
      manifestOf(
        (manifests - 1 - i) * 10 * MINUTE_MS,
        { start: ago(180 * DAY_MS), position: ago((100 - i * daysEach) * DAY_MS) },
        { reason: 'deadline' },
      ),
    );
  }

  test('the backfill is expected to end when its position meets the time that has passed by then', () => {
    const { backfill } = teamStatus({ ...good, manifests: walk(10, 6) });
    expect(backfill?.percent).toBe(72);
    // 50 days are left, at 10 days in ten minutes.
    expect(Date.parse(backfill?.expectedEnd ?? '') - now.getTime()).toBeCloseTo(50 * MINUTE_MS, -5);
  });

  test.each([
    ['one manifest', walk(10, 1)],
    ['a position that stands still', walk(0, 6)],
  ])('no end is told from %s', (_name, manifests) => {
    expect(teamStatus({ ...good, manifests }).backfill).toMatchObject({ expectedEnd: null });
  });
});
