/**
 * Adds up the counts of a chain's manifests. An anchor holds the sums of the whole chain, so the counts of a week are the difference of
 * two anchors.
 */
import type { Anchor } from '../shared/anchor';
import type { Manifest } from '../shared/manifest';

export type ChainCounts = Anchor['counts'];

export const NO_COUNTS: ChainCounts = { runs: 0, events: 0, late: 0, quarantined: 0, gaps: 0, latestGap: null };

export function countsOf({ run, counts, gaps }: Manifest): ChainCounts {
  const { from, to } = gaps.at(-1) ?? {};
  return {
    // A run whose batch was full goes on, and its last manifest has another reason.
    runs: run.reason === 'batch-full' ? 0 : 1,
    events: counts.events,
    late: counts.late,
    quarantined: Object.values(counts.quarantined).reduce((sum, each) => sum + each, 0),
    gaps: gaps.length,
    latestGap: from === undefined || to === undefined ? null : { from, to },
  };
}

export function addCounts(before: ChainCounts, more: ChainCounts): ChainCounts {
  return { ...eachOf(before, more, (a, b) => a + b), latestGap: more.latestGap ?? before.latestGap };
}

/** What was counted after `before`. Its latest gap is null where no gap was recorded since then. */
export function countsSince(before: ChainCounts, now: ChainCounts): ChainCounts {
  return { ...eachOf(now, before, (a, b) => a - b), latestGap: now.gaps > before.gaps ? now.latestGap : null };
}

function eachOf(a: ChainCounts, b: ChainCounts, join: (a: number, b: number) => number) {
  return {
    runs: join(a.runs, b.runs),
    events: join(a.events, b.events),
    late: join(a.late, b.late),
    quarantined: join(a.quarantined, b.quarantined),
    gaps: join(a.gaps, b.gaps),
  };
}
