/**
 * The daily verification of one team: everything that is new since the newest anchor, the keys of every month, and a thirtieth of
 * the older chain. So every byte is read again within thirty days, and a missing, hidden or additional object is noticed within
 * one. It costs LIST and a thirtieth of the archive.
 *
 * A verification with a finding writes no anchor. The next one meets the same finding again, until somebody has explained it.
 */
import type { KeyObject } from 'node:crypto';
import type { Anchor } from '../shared/anchor';
import { keyId } from '../shared/dsse';
import { manifestKey, seqOfManifestKey } from '../shared/object-keys';
import type { Finding } from './findings';
import { type ArchiveReader, listKeys } from './inventory';
import { isSameMonth, monthsUpTo, storedMonths } from './months';
import type { RangeScope, Scope } from './scope';
import type { TeamSummary } from './tally';
import { verify } from './verify';

/** The older chain is read again in so many verifications. */
const ROUND = 30;
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

export interface Daily {
  readonly findings: readonly Finding[];
  /** The contents of the new anchor; undefined where there is a finding, or where nothing could be verified. */
  readonly anchor: Omit<Anchor, 'format' | 'versions'> | undefined;
  /** Whether the verification came to the newest manifest, and read its share of the older ones. */
  readonly isComplete: boolean;
}

/** A manifest of the chain. Its hash is null where the verifier does not know it. */
interface Place {
  readonly seq: number;
  readonly sha256: string | null;
}

/** Throws only what the reader throws. */
export async function verifyDaily(options: DailyOptions): Promise<Daily> {
  const { reader, team, publicKey, now, anchor } = options;
  const keys = await listKeys(reader);
  const headSeq = Math.max(0, ...keys.map((key) => seqOfManifestKey(team, key) ?? 0));
  const steps = createSteps(options);

  if (headSeq === 0) {
    if (keys.length > 0 || anchor !== undefined) await steps.verifyWhole();
    return { findings: steps.findings, anchor: undefined, isComplete: keys.length === 0 };
  }
  if (anchor !== undefined && anchor.keyid !== keyId(publicKey)) steps.addOtherKey(anchor);
  const monthsAreGood = await verifyMonths(keys, steps, options);
  const head = await steps.verifyRange(anchor ?? null, headSeq, 'bytes');
  const older = await verifyOlder(steps, options);
  const newest = steps.newest();
  if (steps.hasFound() || newest === undefined || !monthsAreGood)
    return { findings: steps.findings, anchor: undefined, isComplete: false };
  const inventory = storedMonths(team, keys, monthsUpTo(anchor?.inventory ?? [], newest));
  const verified = {
    team,
    seq: newest.seq,
    sha256: newest.sha256,
    keyid: keyId(publicKey),
    verifiedAt: now.toISOString(),
  };
  return {
    findings: steps.findings,
    anchor: { ...verified, scope: older.scope, inventory },
    isComplete: head.seq === headSeq && older.isComplete,
  };
}

/** A month with other keys than the anchor states is compared with its manifests: objects may have expired. */
async function verifyMonths(keys: readonly string[], steps: Steps, { team, anchor }: DailyOptions): Promise<boolean> {
  const known = anchor?.inventory ?? [];
  for (const [i, month] of storedMonths(team, keys, known).entries()) {
    const before = known[i];
    if (before === undefined || isSameMonth(month, before)) continue;
    const after = known[i - 1]?.through ?? 0;
    const end = await steps.verifyRange(after === 0 ? null : { seq: after, sha256: null }, month.through, 'keys');
    if (end.seq < month.through) return false;
  }
  return true;
}

/** The next thirtieth of the chain before the newest anchor. After its end it begins again. */
async function verifyOlder(steps: Steps, { anchor, now }: DailyOptions) {
  if (anchor === undefined)
    return { scope: { after: 0, through: 0, sha256: null, roundBegan: now.toISOString() }, isComplete: true };
  const last = anchor.scope;
  const isOver = last.through >= anchor.seq;
  const after = isOver ? 0 : last.through;
  const goal = Math.min(anchor.seq, after + Math.ceil(anchor.seq / ROUND));
  const end = await steps.verifyRange(after === 0 ? null : { seq: after, sha256: last.sha256 }, goal, 'bytes');
  const roundBegan = isOver ? now.toISOString() : last.roundBegan;
  return { scope: { after, through: end.seq, sha256: end.sha256, roundBegan }, isComplete: end.seq === goal };
}

type Steps = ReturnType<typeof createSteps>;

function createSteps({ reader, team, publicKey, now, anchor, hasTime }: DailyOptions) {
  const findings: Finding[] = [];
  const options = { publicKey, now, heads: anchor === undefined ? [] : [anchor] };
  let newest: TeamSummary['head'] = anchor === undefined ? null : { ...anchor, finished: anchor.verifiedAt };
  const hasFound = () => findings.some(({ severity }) => severity === 'finding');

  async function verifyScope(scope: Scope): Promise<TeamSummary | undefined> {
    const verification = await verify(reader, { ...options, scope });
    const known = new Set(findings.map(({ code, object }) => `${code} ${object}`));
    findings.push(...verification.findings.filter(({ code, object }) => !known.has(`${code} ${object}`)));
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
      const scope: Scope = { kind: 'range', team, after: at.seq === 0 ? null : at, through: end, depth };
      const { head = null } = (await verifyScope(scope)) ?? {};
      if (head !== null && head.seq > (newest?.seq ?? 0)) newest = head;
      at = head ?? at;
    } while (at.seq < through && hasTime() && !hasFound());
    return at;
  }

  return {
    findings,
    hasFound,
    verifyRange,
    verifyWhole: () => verifyScope({ kind: 'whole' }),
    /** The newest manifest that was verified. */
    newest: () => newest ?? undefined,
    addOtherKey({ seq, keyid }: Anchor): void {
      const detail = `anchor ${seq} was written for the key ${keyid}`;
      findings.push({ code: 'signature-other-key', severity: 'finding', team, object: manifestKey(team, seq), detail });
    },
  };
}
