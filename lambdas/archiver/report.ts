/** What a run did, summed over its manifests: the summary line and the metrics are made of it. */
import type { RunReport } from '../shared/contract';
import { QUARANTINE_REASONS, type QuarantineReason } from '../shared/event';
import type { Counts, Manifest } from '../shared/manifest';

export const emptyReport: RunReport = {
  manifests: 0,
  seq: undefined,
  position: undefined,
  counts: {
    pages: 0,
    requests: 0,
    events: 0,
    late: 0,
    known: 0,
    revisions: 0,
    quarantined: { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 },
  },
  gaps: 0,
  sweeps: [],
  recovered: 0,
};

export function addManifest(report: RunReport, manifest: Manifest): RunReport {
  return {
    ...report,
    manifests: report.manifests + 1,
    seq: manifest.seq,
    position: manifest.position,
    counts: addCounts(report.counts, manifest.counts),
    gaps: report.gaps + manifest.gaps.length,
    sweeps: [...report.sweeps, ...manifest.sweeps],
  };
}

function addCounts(a: Counts, b: Counts): Counts {
  const sum = (name: Exclude<keyof Counts, 'quarantined'>) => a[name] + b[name];
  const quarantined = (reason: QuarantineReason) => [reason, a.quarantined[reason] + b.quarantined[reason]];
  return {
    pages: sum('pages'),
    requests: sum('requests'),
    events: sum('events'),
    late: sum('late'),
    known: sum('known'),
    revisions: sum('revisions'),
    quarantined: Object.fromEntries(QUARANTINE_REASONS.map(quarantined)) as Counts['quarantined'],
  };
}
