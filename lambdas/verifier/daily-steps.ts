/**
 * The steps of a daily verification. A step verifies a range of the chain by itself, so a verification can end after any of them.
 * It costs what its range costs, however long the chain is: it is shown only the keys of its range.
 */
import type { KeyObject } from 'node:crypto';
import type { Anchor } from '../shared/anchor';
import { manifestKey } from '../shared/object-keys';
import { addCounts, NO_COUNTS } from './chain-counts';
import { type Finding, graveOf } from './findings';
import type { ArchiveReader } from './inventory';
import { type MonthBounds, monthsUpTo, seqOfKey } from './months';
import type { RangeScope, Scope } from './scope';
import type { TeamSummary } from './tally';
import { verify } from './verify';

/** So many manifests are verified at a time. Then the time that is left is looked at. */
const STEP = 200;

export interface DailyOptions {
  /** Lists and reads one team. The listing is the same during the whole verification. */
  readonly reader: ArchiveReader;
  readonly team: string;
  readonly publicKey: KeyObject;
  readonly now: Date;
  /** The team's newest anchor. */
  readonly anchor: Anchor | undefined;
  readonly hasTime: () => boolean;
}

/** A manifest of the chain. Its hash is null where the verifier does not know it. */
export interface Place {
  readonly seq: number;
  readonly sha256: string | null;
}

export type Steps = ReturnType<typeof createSteps>;

export function createSteps(keys: readonly string[], headSeq: number, options: DailyOptions) {
  const { reader, team, publicKey, now, anchor, hasTime } = options;
  const findings: Finding[] = [];
  const keysIn = createKeyIndex(keys, team, headSeq);
  const heads = anchor === undefined ? [] : [anchor];
  let newest: TeamSummary['head'] = anchor === undefined ? null : { ...anchor, finished: anchor.verifiedAt };
  let months: readonly MonthBounds[] = anchor?.inventory ?? [];
  let counts = anchor?.counts ?? NO_COUNTS;
  const hasFound = () => graveOf(findings).length > 0;

  async function verifyScope(scope: Scope, part: ArchiveReader): Promise<TeamSummary | undefined> {
    const verification = await verify(part, { publicKey, now, heads, scope });
    const known = new Set(findings.map(({ code, object }) => `${code} ${object}`));
    for (const finding of verification.findings)
      if (!known.has(`${finding.code} ${finding.object}`)) findings.push(finding);
    return verification.teams[0];
  }

  /**
   * Verifies the manifests after a place, some at a time, while there is time and no finding. The first step is always made, so
   * that each verification comes further, and compares the chain with the anchor even if no manifest is new. Returns how far it came.
   */
  async function verifyRange(after: Place | null, through: number, depth: RangeScope['depth']): Promise<Place> {
    let at: Place = after ?? { seq: 0, sha256: null };
    do {
      const end = Math.min(through, at.seq + STEP);
      const shown = keysIn(at.seq, end);
      const list = async (prefix: string) => shown.filter((key) => key.startsWith(prefix));
      const scope: Scope = { kind: 'range', team, after: at.seq === 0 ? null : at, through: end, depth };
      const summary = await verifyScope(scope, { ...reader, list });
      const head = summary?.head ?? null;
      if (summary !== undefined && head !== null && head.seq > (newest?.seq ?? 0)) {
        newest = head;
        counts = addCounts(counts, summary.counts);
        months = monthsUpTo(months, head);
      }
      at = head ?? at;
    } while (at.seq < through && hasTime() && !hasFound());
    return at;
  }

  return {
    findings,
    hasFound,
    verifyRange,
    verifyWhole: () => verifyScope({ kind: 'whole' }, reader),
    /** The newest manifest that was verified. */
    newest: () => newest ?? undefined,
    /** The bounds of the months up to that manifest, as far as the steps have shown them. */
    months: () => (newest === null ? months : monthsUpTo(months, newest)),
    /** The sums of the manifests up to that manifest. */
    counts: () => counts,
    addOtherKey({ seq, keyid }: Anchor): void {
      const detail = `anchor ${seq} was written for the key ${keyid}`;
      findings.push({ code: 'signature-other-key', severity: 'finding', team, object: manifestKey(team, seq), detail });
    },
  };
}

/**
 * The keys that belong to the manifests after a number up to another one. What no manifest can list, and the newest manifest, belong
 * to every range.
 */
function createKeyIndex(keys: readonly string[], team: string, headSeq: number) {
  const always: string[] = [];
  const byNumber = new Map<number, string[]>();
  for (const key of keys) {
    const seq = seqOfKey(team, key) || headSeq;
    const same = byNumber.get(seq);
    if (seq >= headSeq) always.push(key);
    else if (same === undefined) byNumber.set(seq, [key]);
    else same.push(key);
  }
  return (after: number, through: number): readonly string[] => {
    const numbers = Array.from({ length: Math.max(0, through - after) }, (_, i) => after + 1 + i);
    return [...always, ...numbers.flatMap((seq) => byNumber.get(seq) ?? [])];
  };
}
