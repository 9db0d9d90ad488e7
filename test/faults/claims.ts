/**
 * A manifest claims by its position that every event before it, if it was served since the run began, is archived. An
 * event that appears later is late. The next complete walk reads it, if it is not later than the lookback. The claim is
 * checked against the source, event by event.
 */
import type { Manifest } from '../../lambdas/shared/manifest';
import type { Trouble } from '../support/oracle';
import { HOUR, KEPT_MS, servedSince, type WorldEvent } from './events';

export interface Claim {
  readonly manifest: Manifest;
  /** The earlier manifests of the chain, oldest first. */
  readonly earlier: readonly Manifest[];
  /** The ids that are archived with this manifest and all earlier ones. */
  readonly archived: ReadonlySet<string>;
  /** When its run began, and when the manifest was put, in epoch milliseconds of the world, not of the run's clock. */
  readonly began: number;
  readonly now: number;
}

export interface Reading {
  readonly events: readonly WorldEvent[];
  readonly lookbackHours: number;
  /** Whether timestamps were edited after the source sorted them. They are wrong by a lookback at most. */
  readonly isOutOfOrder: boolean;
}

export function* claimTroubles(claim: Claim, { events, lookbackHours, isOutOfOrder }: Reading): Generator<Trouble> {
  const { manifest, earlier, archived, began, now } = claim;
  const lookback = lookbackHours * HOUR;
  const position = Date.parse(manifest.position);
  const settled = isOutOfOrder ? lookback : 0;
  const newFrom = Date.parse(earlier.at(-1)?.position ?? manifest.start) - settled;
  const isFinished = manifest.run.reason === 'complete';
  // Most walks of a short schedule read only a part of the lookback again. The next full walk reads the rest.
  const readFrom = Date.parse(manifest.window.from);
  for (const event of events) {
    const { row, id, at, isFit, later = [] } = event;
    if (!isFit || later.some(({ from }) => from <= now)) continue;
    if (at === null || at < began - KEPT_MS || at >= position || id === null || archived.has(id)) continue;
    const since = servedSince(event, now);
    if (since > began || !isPromised(at, [...earlier, manifest])) continue;
    const where = `row ${row} of ${new Date(at).toISOString()} in manifest ${manifest.seq}`;
    if (at >= newFrom && at < position - settled) yield ['claimed-unread', where];
    else if (isFinished && at >= readFrom && since <= at + lookback) yield ['finished-unread', where];
  }
}

/** The chain began before the instant, and no gap holds it. */
function isPromised(at: number, chain: readonly Manifest[]): boolean {
  if (chain.some(({ start }) => at < Date.parse(start))) return false;
  return !chain.some(({ gaps }) => gaps.some(({ from, to }) => at >= Date.parse(from) && at < Date.parse(to)));
}
