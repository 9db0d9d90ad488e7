/**
 * Everything that the verifier can report. A finding makes the verification fail, a notice does not. `docs/format.md` lists
 * every code with its sentence, and a test compares the two.
 */

export const FINDINGS = {
  'archive-empty': finding('There is no manifest at all, so nothing in this archive is proven.'),
  'team-without-manifests': finding(
    'A team has data but no manifests: its chain was removed, or its first run has not committed yet.',
  ),
  'chain-truncated': finding('Newer manifests existed and are gone: a saved head or a batch object proves it.'),
  'head-differs': finding('The manifest at the number of the saved head is not the one that was saved.'),
  'anchor-unreadable': finding(
    'The object is not an anchor of this format, or its key does not name its number and its hash.',
  ),
  'manifest-missing': finding('A manifest of the chain is missing.'),
  'manifest-unreadable': finding('The object is not a signed envelope that holds a manifest of this format.'),
  'manifest-misplaced': finding('The key does not name the team and seq that the payload names.'),
  'signature-invalid': finding('The signature does not match the payload.'),
  'signature-other-key': finding(
    'The manifest is signed, or the anchor was written, for a key other than the given one.',
  ),
  'format-newer': finding(
    'The manifest has a newer format than this verifier knows: upgrade audit-archive, then verify again.',
  ),
  'chain-broken': finding('The manifest does not name the SHA-256 of the manifest before it.'),
  'position-wrong': finding('The position goes back, or lies after the start of its own walk.'),
  'latest-wrong': finding('The stated latest instant is not the latest one of the segments listed so far.'),
  'start-moved': finding('The manifest names another start of the chain than the manifest before it.'),
  'range-reversed': finding('A window or a gap ends before it begins.'),
  'window-hole': finding('The time between the manifest before and this one was neither read nor recorded as a gap.'),
  'times-wrong': finding(
    'The run finished long before the chain says that it began, so nothing of it counts as expired.',
  ),
  'counts-wrong': finding('The counts do not match the lines.'),
  'batch-misnamed': finding('The key of the batch object does not belong to this team and seq.'),
  'batch-missing': finding('The batch object of a manifest is missing.'),
  'batch-untiled': finding('The segments do not fill their batch object from its first byte to its last.'),
  'batch-differs': finding('The batch object is not as the manifest states.'),
  'segment-misnamed': finding('The segment key does not belong to this team and seq, or is listed twice.'),
  'segment-missing': finding('A segment is missing.'),
  'segment-unpublished': notice('The segment is committed but not yet published: the next run publishes it.'),
  expired: notice('The object is gone, and the signed retention of its manifest says that it may have expired.'),
  'segment-malformed': finding(
    'The segment is damaged: its bytes cannot be decompressed to the lines that its manifest lists.',
  ),
  'segment-differs': finding('The lines of the segment are not those that were committed.'),
  'segment-recompressed': finding('The lines are those that were committed, but their compressed bytes were changed.'),
  'segment-misdescribed': finding('The number of lines, or the first or last instant, is not as stated.'),
  'line-malformed': finding('A line is not one JSON value in UTF-8 without white space, ended by a newline.'),
  'lines-unordered': finding('The lines are not in order, or one is repeated.'),
  'event-unfit': finding('A line under events/ belongs in quarantine.'),
  'date-wrong': finding('A line is in the partition of another date.'),
  'id-repeated': finding('An event id occurs more than once under events/.'),
  'quarantine-unfounded': finding('A quarantined line could be under events/, and is not a revision.'),
  'lock-missing': finding('The object is not locked, so whoever may delete it can do so at any time.'),
  'lock-weaker': finding('The object is locked for a shorter time, or in a weaker mode, than its manifest promises.'),
  'object-unlisted': finding('No manifest lists this object.'),
  'object-too-large': finding('The object is larger than the format allows, so it was not read.'),
  'object-unknown': notice('The object is not part of the archive format.'),
} as const;

export type FindingCode = keyof typeof FINDINGS;

export interface Finding {
  readonly code: FindingCode;
  readonly severity: 'finding' | 'notice';
  /** Null where the object lies in no team's folder. */
  readonly team: string | null;
  /** The object's key. The adversary may have chosen it: escape it before it meets a terminal. */
  readonly object: string;
  /** Further facts; empty where the code says everything. It never holds an event's id or body. */
  readonly detail: string;
}

/** The findings that make a verification fail; the others are notices. */
export function graveOf(findings: readonly Finding[]): readonly Finding[] {
  return findings.filter(({ severity }) => severity === 'finding');
}

/** A detail may quote a manifest, and a forger can make a quoted field as long as he likes. */
const MAX_DETAIL = 300;

/** Records a finding of one team. The verifier then continues. */
export type AddFinding = (code: FindingCode, object: string, detail?: string) => void;

export function findingCollector(findings: Finding[], team: string | null): AddFinding {
  return (code, object, detail = '') =>
    findings.push({ code, severity: FINDINGS[code].severity, team, object, detail: detail.slice(0, MAX_DETAIL) });
}

function finding(sentence: string) {
  return { severity: 'finding', sentence } as const;
}

function notice(sentence: string) {
  return { severity: 'notice', sentence } as const;
}
