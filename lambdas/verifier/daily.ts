/**
 * The daily verification of one team: everything that is new since the newest anchor, the keys of every month, and a thirtieth of
 * the chain, with the anchors of these manifests. So every byte is read again within thirty days, and a missing, hidden or
 * additional object is noticed within one. It costs LIST and a thirtieth of the archive.
 *
 * If its time ends early, it writes down what it has verified, and the next verification goes on there. Then a round takes longer
 * than thirty days, and `roundDays` says how long.
 *
 * A verification with a finding writes no anchor. The next one meets the same finding again, until somebody has explained it.
 */
import { type Anchor, dayOfRound, type Month, ROUND_DAYS } from '../shared/anchor';
import { keyId } from '../shared/dsse';
import { seqOfManifestKey } from '../shared/object-keys';
import { createSteps, type DailyOptions, type Steps } from './daily-steps';
import type { Finding } from './findings';
import { listKeys } from './inventory';
import { isSameMonth, storedMonths } from './months';

export interface Daily {
  readonly findings: readonly Finding[];
  /** The contents of the new anchor; undefined where there is a finding, or where nothing could be verified. */
  readonly anchor: Omit<Anchor, 'format' | 'versions'> | undefined;
  /** Whether the verification came to the newest manifest, compared every month, and read its share of the chain. */
  readonly isComplete: boolean;
}

/** Throws only what the reader throws. */
export async function verifyDaily(options: DailyOptions): Promise<Daily> {
  const { reader, team, publicKey, now, anchor } = options;
  const keys = await listKeys(reader);
  const headSeq = keys.reduce((highest, key) => Math.max(highest, seqOfManifestKey(team, key) ?? 0), 0);
  const steps = createSteps(keys, headSeq, options);

  if (headSeq === 0) {
    if (keys.length > 0 || anchor !== undefined) await steps.verifyWhole();
    return { findings: steps.findings, anchor: undefined, isComplete: keys.length === 0 };
  }
  if (anchor !== undefined && anchor.keyid !== keyId(publicKey)) steps.addOtherKey(anchor);
  const known = anchor?.inventory ?? [];
  const compared = await verifyMonths(keys, known, steps, team);
  const head = await steps.verifyRange(anchor ?? null, headSeq, 'bytes');
  const again = await verifyAgain(steps, options);
  const newest = steps.newest();
  if (steps.hasFound() || newest === undefined)
    return { findings: steps.findings, anchor: undefined, isComplete: false };
  const months = storedMonths(team, keys, steps.months());
  const verified = {
    team,
    seq: newest.seq,
    sha256: newest.sha256,
    keyid: keyId(publicKey),
    verifiedAt: now.toISOString(),
  };
  // A month that was not compared stays as the last anchor states it, so that the next verification compares it.
  const inventory = months.map((month, i) => (i < compared ? month : (known[i] ?? month)));
  return {
    findings: steps.findings,
    anchor: { ...verified, scope: again.scope, inventory, counts: steps.counts() },
    isComplete: head.seq === headSeq && compared === known.length && again.isComplete,
  };
}

/**
 * A month with other keys than the anchor states is compared with its manifests: objects may have expired. Returns how many months
 * are as they should be, counted from the oldest one.
 */
async function verifyMonths(
  keys: readonly string[],
  known: readonly Month[],
  steps: Steps,
  team: string,
): Promise<number> {
  for (const [i, month] of storedMonths(team, keys, known).entries()) {
    const before = known[i];
    if (before === undefined || isSameMonth(month, before)) continue;
    const after = known[i - 1]?.through ?? 0;
    const end = await steps.verifyRange(after === 0 ? null : { seq: after, sha256: null }, month.through, 'keys');
    if (end.seq < month.through) return i;
  }
  return known.length;
}

/**
 * The share of this day. It follows from the days since the round began, and not from what was read the day before: so a round ends
 * after thirty days although the chain grows meanwhile, and what a day left out is made good while there is time. The last share
 * ends with the newest manifest, which shows that the round is over.
 */
async function verifyAgain(steps: Steps, { anchor, now }: DailyOptions) {
  if (anchor === undefined)
    return { scope: { after: 0, through: 0, sha256: null, roundBegan: now.toISOString() }, isComplete: true };
  // The first anchor states no share. Its verification has read everything, so the first round begins now.
  const isOver = anchor.scope.through === 0 || anchor.scope.through >= anchor.seq;
  const last = isOver ? { through: 0, sha256: null, roundBegan: now.toISOString() } : anchor.scope;
  const { through: after, sha256, roundBegan } = last;
  const share = Math.min(1, (dayOfRound(now, roundBegan) + 1) / ROUND_DAYS);
  const goal = Math.max(after, Math.ceil((steps.newest()?.seq ?? anchor.seq) * share));
  const end = await steps.verifyRange(after === 0 ? null : { seq: after, sha256 }, goal, 'bytes');
  return { scope: { after, through: end.seq, sha256: end.sha256, roundBegan }, isComplete: end.seq === goal };
}
