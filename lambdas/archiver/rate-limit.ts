/**
 * A token bucket: no more than `perMinute` requests in any minute, evenly, with a small burst at the start. The burst
 * is taken out of the minute's allowance, so the bound holds for the first minute too.
 */
import type { Clock } from '../shared/ports';
import { MINUTE_MS } from '../shared/time';

const BURST_SHARE = 20;

export interface RateLimit {
  /** Milliseconds until the next request is allowed. */
  waitMs(): number;
  /** Waits until a request is allowed, and takes it. */
  take(): Promise<void>;
}

export function createRateLimit(perMinute: number, clock: Clock): RateLimit {
  const burst = Math.max(1, Math.floor(perMinute / BURST_SHARE));
  const perMs = Math.max(perMinute - burst, 1) / MINUTE_MS;
  let tokens = burst;
  let filledAt = clock.now().getTime();

  function waitMs(): number {
    const now = clock.now().getTime();
    // A clock that is set back must not stop the run: it only forgoes what it would have earned.
    tokens = Math.min(burst, tokens + Math.max(0, now - filledAt) * perMs);
    filledAt = now;
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perMs);
  }

  async function take(): Promise<void> {
    const wait = waitMs();
    if (wait > 0) await clock.sleep(wait);
    waitMs();
    tokens -= 1;
  }

  return { waitMs, take };
}
