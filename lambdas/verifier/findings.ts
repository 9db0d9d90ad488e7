/**
 * What the verifier can say. A finding makes an archive fail; a notice does not. Every code stands with its sentence in
 * `docs/format.md`, and a test holds the two together.
 */

export type Severity = 'finding' | 'notice';

export const FINDINGS = {
  'archive-empty': finding('There is no manifest at all, so nothing here is proven.'),
  'team-without-manifests': finding('A team has data but no chain: its manifests are gone.'),
  'chain-truncated': finding('The chain ends before the saved head: its newest manifests are gone.'),
  'head-differs': finding('The manifest at the saved head is another one than was saved.'),
  'manifest-missing': finding('A manifest of the chain is not there.'),
  'manifest-unreadable': finding('Not a signed envelope around a manifest of this format.'),
  'manifest-misplaced': finding('The key does not name the team and seq that the payload names.'),
  'signature-invalid': finding('The signature does not belong to this payload.'),
  'signature-other-key': finding('Signed by another key than the pinned one.'),
  'format-newer': finding('Of a newer format than this verifier knows: upgrade audit-archive, then verify again.'),
  'chain-broken': finding('Does not name the SHA-256 of the manifest before it.'),
  'position-wrong': finding('The position goes back, or beyond the start of its own walk.'),
  'latest-wrong': finding('The latest instant is not that of the segments listed so far.'),
  'start-moved': finding('Names another start of the chain than the manifest before.'),
  'range-reversed': finding('A window or a gap ends before it begins.'),
  'window-hole': finding('Time between the manifest before and this one was neither read nor recorded as a gap.'),
  'counts-wrong': finding('The counts are not those of the lines.'),
  'batch-misnamed': finding('The batch key is not one of this team and seq.'),
  'batch-missing': finding('The batch object of a manifest is not there.'),
  'batch-untiled': finding('The segments do not fill their batch object, one after the other.'),
  'batch-differs': finding('The batch object does not hold what the manifest says.'),
  'segment-misnamed': finding('The segment key is not one of this team and seq, or is listed twice.'),
  'segment-missing': finding('A segment is not there.'),
  'segment-unpublished': notice('Committed and not yet published: the next run publishes it.'),
  expired: notice('No longer there, and its own signed retention says that it may have expired by now.'),
  'segment-malformed': finding('Not gzip of the stated size.'),
  'segment-differs': finding('The lines are not those that were committed.'),
  'segment-recompressed': finding(
    'The lines are those that were committed, but the bytes that hold them were changed.',
  ),
  'segment-misdescribed': finding('The number of lines, or the first or last instant, is not as stated.'),
  'line-malformed': finding('A line is not one JSON value in UTF-8 without white space, ended by a newline.'),
  'lines-unordered': finding('The lines are not in order, or one is repeated.'),
  'event-unfit': finding('An event that may not be under events/.'),
  'date-wrong': finding('Lies in the partition of another date.'),
  'id-repeated': finding('An event id is under events/ more than once.'),
  'quarantine-unfounded': finding('A quarantined line that could be under events/, and is no revision.'),
  'object-unlisted': finding('An object that no manifest lists.'),
  'object-too-large': finding('Larger than the format allows; it was not read.'),
  'object-unknown': notice('Not part of the archive format.'),
} as const;

export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly code: FindingCode;
  readonly severity: Severity;
  /** Null where the object lies in no team's folder. */
  readonly team: string | null;
  /** The object's key. The adversary may have chosen it: escape it before it meets a terminal. */
  readonly object: string;
  /** What exactly; empty where the code says it all. Never an event's id or body. */
  readonly detail: string;
}

/** A detail may quote a manifest, and a forged one is as long as its forger likes. */
const MAX_DETAIL = 300;

/** Notes a finding of one team; the verifier goes on. */
export type AddFinding = (code: FindingCode, object: string, detail?: string) => void;

export function findingCollector(findings: Finding[], team: string | null): AddFinding {
  return (code, object, detail = '') =>
    findings.push({ code, severity: FINDINGS[code].severity, team, object, detail: detail.slice(0, MAX_DETAIL) });
}

interface Meaning {
  readonly severity: Severity;
  readonly sentence: string;
}

function finding(sentence: string): Meaning {
  return { severity: 'finding', sentence };
}

function notice(sentence: string): Meaning {
  return { severity: 'notice', sentence };
}
