/**
 * A token bucket. It allows at most `perMinute` requests in any minute, evenly spaced after a small burst at the start. The
 * burst counts towards the limit, so the limit holds for the first minute too.
 */
import type { Clock } from '../shared/ports';
import { MINUTE_MS } from '../shared/time';

const BURST_SHARE = 20;

export function createRateLimit(perMinute: number, clock: Clock) {
  const burst = Math.max(1, Math.floor(perMinute / BURST_SHARE));
  const perMs = Math.max(perMinute - burst, 1) / MINUTE_MS;
  let tokens = burst;
  let filledAt = clock.now().getTime();

  /** Milliseconds until the next request is allowed. */
  function waitMs(): number {
    const now = clock.now().getTime();
    // A clock that is set back must not stop the run. The run then only waits a little longer.
    tokens = Math.min(burst, tokens + Math.max(0, now - filledAt) * perMs);
    filledAt = now;
    return tokens >= 1 ? 0 : Math.ceil((1 - tokens) / perMs);
  }

  /** Waits until a request is allowed, and counts it. */
  async function take(): Promise<void> {
    const wait = waitMs();
    if (wait > 0) await clock.sleep(wait);
    waitMs();
    tokens -= 1;
  }

  return { waitMs, take };
}
