/**
 * What a manifest claims by its position: the run that put it has archived all that lies before it and was served ever
 * since the run began. What appears later is late, and is read by the next walk that comes to its end, if it is not
 * later than the lookback. Worked out from what the source holds, event by event.
 */
import type { Manifest } from '../../lambdas/shared/manifest';
import type { Trouble } from '../support/oracle';
import { HOUR, KEPT_MS, servedSince, type WorldEvent } from './events';

export interface Claim {
  readonly manifest: Manifest;
  /** Of the chain so far, oldest first. */
  readonly earlier: readonly Manifest[];
  /** What is archived with this manifest. */
  readonly archived: ReadonlySet<string>;
  /** When the run began that put it, and when it did: epoch milliseconds of the world, not of the run's clock. */
  readonly began: number;
  readonly now: number;
}

export interface Reading {
  readonly events: readonly WorldEvent[];
  readonly lookbackHours: number;
  /** Timestamps were edited since the source put them in order: wrong by a lookback at most. */
  readonly isOutOfOrder: boolean;
}

export function* claimTroubles(claim: Claim, { events, lookbackHours, isOutOfOrder }: Reading): Generator<Trouble> {
  const { manifest, earlier, archived, began, now } = claim;
  const lookback = lookbackHours * HOUR;
  const position = Date.parse(manifest.position);
  const settled = isOutOfOrder ? lookback : 0;
  const newFrom = Date.parse(earlier.at(-1)?.position ?? manifest.start) - settled;
  const isFinished = manifest.run.reason === 'complete';
  for (const event of events) {
    const { row, id, at, isFit, later = [] } = event;
    if (!isFit || later.some(({ from }) => from <= now)) continue;
    if (at === null || at < began - KEPT_MS || at >= position || id === null || archived.has(id)) continue;
    const since = servedSince(event, now);
    if (since > began || !isPromised(at, [...earlier, manifest])) continue;
    const where = `row ${row} of ${new Date(at).toISOString()} in manifest ${manifest.seq}`;
    if (at >= newFrom && at < position - settled) yield ['claimed-unread', where];
    else if (isFinished && since <= at + lookback) yield ['finished-unread', where];
  }
}

/** The chain began before it, and no gap holds it. */
function isPromised(at: number, chain: readonly Manifest[]): boolean {
  if (chain.some(({ start }) => at < Date.parse(start))) return false;
  return !chain.some(({ gaps }) => gaps.some(({ from, to }) => at >= Date.parse(from) && at < Date.parse(to)));
}
