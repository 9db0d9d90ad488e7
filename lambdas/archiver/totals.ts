import { QUARANTINE_REASONS } from '../shared/event';
import type { Counts, Manifest } from '../shared/manifest';

/** Adds up the counts of all manifests that a run has committed, for its summary. */
export function totalOf(committed: readonly Manifest[]) {
  const head = committed.at(-1);
  if (head === undefined) return { manifests: 0 };
  const total = (count: (counts: Counts) => number) => committed.reduce((sum, { counts }) => sum + count(counts), 0);
  const reasons = QUARANTINE_REASONS.map((reason) => [reason, total(({ quarantined }) => quarantined[reason])]);
  return {
    manifests: committed.length,
    seq: head.seq,
    position: head.position,
    counts: {
      pages: total(({ pages }) => pages),
      requests: total(({ requests }) => requests),
      events: total(({ events }) => events),
      late: total(({ late }) => late),
      known: total(({ known }) => known),
      revisions: total(({ revisions }) => revisions),
      quarantined: Object.fromEntries(reasons),
    },
    gaps: committed.flatMap(({ gaps }) => gaps).length,
    sweeps: committed.flatMap(({ sweeps }) => sweeps),
  };
}
