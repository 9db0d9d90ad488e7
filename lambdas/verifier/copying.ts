/**
 * Findings that the copy may have caused, and not the archive. A tool lists the bucket for minutes. A run that commits
 * meanwhile leaves a copy that has a manifest and not all of its objects, or objects and not their manifest.
 */
import type { Finding, FindingCode } from './findings';

interface Chain {
  readonly team: string;
  readonly head: { readonly seq: number } | null;
}

/** How many manifests may be committed during one copy: those of a day at an hourly schedule. */
const DURING_A_COPY = 24;

/** Whether each of these findings is about an object that is missing from the newest manifests, or newer than all of them. */
export function mayComeFromCopying(findings: readonly Finding[], teams: readonly Chain[]): boolean {
  return findings.every(({ code, object, team }) => {
    const head = teams.find((summary) => summary.team === team)?.head?.seq;
    const seq = Number(/\/(\d{10})[-.]/.exec(object)?.[1]);
    return head !== undefined && isOfACopy(code, object, seq - head);
  });
}

/** `distance` is how far the object's number lies above that of the head. */
function isOfACopy(code: FindingCode, object: string, distance: number): boolean {
  if (code === 'batch-missing' || code === 'segment-missing') return distance > -DURING_A_COPY;
  // A chain that is shorter than a saved head says is not due to the copy: the head was in an earlier copy.
  const isBeyond = code === 'object-unlisted' || (code === 'chain-truncated' && object.startsWith('batches/'));
  return isBeyond && distance > 0;
}
