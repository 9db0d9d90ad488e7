/**
 * The state of one team, computed from its manifests and its newest anchor alone: is it fresh, complete and verified? What needs
 * a person is in `needs`; all else is only told. The clock is a parameter.
 */
import { type Anchor, roundDays } from '../lambdas/shared/anchor';
import type { Gap, Manifest } from '../lambdas/shared/manifest';
import { readSegmentKey } from '../lambdas/shared/object-keys';
import { addMs, DAY_MS, dateOf, HOUR_MS, MINUTE_MS } from '../lambdas/shared/time';

const UNVERIFIED_MS = 2 * DAY_MS;
/** A gap that is older has been decided about. */
const RECENT_GAP_MS = 7 * DAY_MS;
/** The clocks of AWS and of this machine may differ so much. */
export const CLOCK_MS = 5 * MINUTE_MS;

/** Something that a person must do. */
export interface Need {
  readonly problem: string;
  readonly mend: string;
}

export interface TeamFacts {
  readonly team: string;
  /** The newest manifests of the chain, in order. */
  readonly manifests: readonly Manifest[];
  /** The newest anchor, and whether the chain holds the manifest that it names. */
  readonly verification: { readonly anchor: Anchor; readonly isInChain: boolean } | undefined;
  /** Keys of manifests that are missing, or that are not what they should be. */
  readonly broken: readonly string[];
  readonly now: Date;
  /** How long a team may be silent. */
  readonly silentMs: number;
  /** A copy was made at another time, and a local archive has no anchors. */
  readonly isCopy: boolean;
}

type RecordedGap = Gap & { readonly recorded: string };
export type TeamStatus = ReturnType<typeof teamStatus>;

export function teamStatus(facts: TeamFacts) {
  const { team, manifests, verification, now } = facts;
  const head = manifests.at(-1);
  const gaps = manifests.flatMap(({ run, gaps: some }) =>
    some.map((gap): RecordedGap => ({ ...gap, recorded: run.finished })),
  );
  return {
    team,
    needs: [...freshness(facts), ...completeness(facts, gaps), ...verifiedness(facts)],
    manifests: head?.seq ?? 0,
    /** Number of the first manifest that was read: older gaps are not told. */
    readFrom: manifests[0]?.seq ?? 0,
    lastSuccess: head?.run.finished ?? null,
    position: head?.position ?? null,
    lagMinutes: head === undefined ? null : Math.round((now.getTime() - Date.parse(head.position)) / MINUTE_MS),
    eventsToday: eventsOf(dateOf(now), manifests),
    verification: verification
      ? {
          verifiedAt: verification.anchor.verifiedAt,
          seq: verification.anchor.seq,
          isInChain: verification.isInChain,
          /** In how many days every byte is read again. */
          roundDays: roundDays(verification.anchor),
        }
      : null,
    gaps,
    backfill: backfillOf(manifests),
    /** The version of the code that wrote the newest manifest. */
    codeVersion: head?.run.codeVersion ?? null,
    requests: requestsOf(manifests),
  };
}

function freshness({ manifests, now, silentMs, isCopy }: TeamFacts): Need[] {
  const head = manifests.at(-1);
  if (head === undefined) return [need('nothing was ever archived', 'store the API key of the team, and run it')];
  const silence = now.getTime() - Date.parse(head.run.finished);
  const again = 'copy the bucket again; if it is the same, look at the alarm silent';
  if (silence > silentMs)
    return [need(`no run has succeeded for ${hours(silence)}`, isCopy ? again : 'see docs/runbook.md#silent')];
  if (silence >= -CLOCK_MS) return [];
  return [
    need(`the newest manifest is of ${head.run.finished}, which has not come yet`, 'set the clock of this machine'),
  ];
}

function completeness({ broken, now }: TeamFacts, gaps: readonly RecordedGap[]): Need[] {
  const recent = gaps.filter(({ recorded }) => Date.parse(recorded) > now.getTime() - RECENT_GAP_MS);
  const decide = 'decide what that means, and write it down';
  return [
    ...broken.map((key) => need(`${key} is missing or changed`, 'run "audit-archive verify", which tells all of it')),
    ...recent.map(({ from, to }) => need(`what happened from ${from} to ${to} is lost`, decide)),
  ];
}

/** A copy is measured by its own time, and may come from a place that has no verifier. */
function verifiedness({ manifests, verification, now, isCopy }: TeamFacts): Need[] {
  const [first, head] = [manifests[0], manifests.at(-1)];
  if (first === undefined || head === undefined) return [];
  if (verification !== undefined && !verification.isInChain) {
    const problem = `the chain does not hold manifest ${verification.anchor.seq} as it was verified`;
    return [need(problem, 'call the security team: see docs/runbook.md#integrity')];
  }
  if (verification === undefined && isCopy) return [];
  const verifiedAt = verification?.anchor.verifiedAt ?? first.run.finished;
  const until = isCopy ? new Date(head.run.finished) : now;
  if (until.getTime() - Date.parse(verifiedAt) <= UNVERIFIED_MS) return [];
  return [need('no verification was good for two days', 'see docs/runbook.md#unverified')];
}

export function need(problem: string, mend: string): Need {
  return { problem, mend };
}

function eventsOf(date: string, manifests: readonly Manifest[]): number {
  return manifests
    .flatMap(({ segments }) => segments)
    .filter(({ key }) => {
      const place = readSegmentKey(key);
      return place?.area === 'events' && place.date === date;
    })
    .reduce((sum, { lines }) => sum + lines, 0);
}

/**
 * A walk that has not come to its end. The newest of the manifests tell how fast it moves. Its expected end is null where it cannot be
 * told, or where the position moves more slowly than time.
 */
function backfillOf(manifests: readonly Manifest[]) {
  const walk = manifests.slice(manifests.findLastIndex(({ run }) => run.reason === 'complete') + 1).slice(-20);
  const [first, last] = [walk[0], walk.at(-1)];
  if (first === undefined || last === undefined) return null;
  const [start, position] = [Date.parse(last.start), Date.parse(last.position)];
  const percent = Math.floor((100 * (position - start)) / Math.max(1, Date.parse(last.run.walkStart) - start));
  const finished = Date.parse(last.run.finished);
  const speed = (position - Date.parse(first.position)) / Math.max(1, finished - Date.parse(first.run.finished));
  if (first === last || speed <= 1) return { percent, expectedEnd: null };
  // The walk must also read what happens until it ends.
  return { percent, expectedEnd: addMs(new Date(finished), (finished - position) / (speed - 1)).toISOString() };
}

/** The requests of the last run. A run counts as a minute at least, because the limit is one for each minute. */
function requestsOf(manifests: readonly Manifest[]) {
  const last = manifests.at(-1);
  if (last === undefined) return null;
  const ofRun = manifests.filter(({ run }) => run.id === last.run.id);
  const ofLastRun = ofRun.reduce((sum, { counts }) => sum + counts.requests, 0);
  const minutes = (Date.parse(last.run.finished) - Date.parse(last.run.walkStart)) / MINUTE_MS;
  return { ofLastRun, aMinute: Math.round(ofLastRun / Math.max(1, minutes)) };
}

function hours(ms: number): string {
  const whole = Math.floor(ms / HOUR_MS);
  return whole >= 48 ? `${Math.floor(whole / 24)} days` : `${whole} hours`;
}
