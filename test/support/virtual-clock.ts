/** Time passes only when somebody sleeps or advances the clock, so that an hour is tested in a millisecond. */
import type { Clock } from '../../lambdas/shared/ports';

export interface VirtualClock extends Clock {
  advance(ms: number): void;
  /** Sets the clock forward or back, while the time until the deadline stays as it is. */
  jump(ms: number): void;
  /** Every sleep, in milliseconds. */
  readonly sleeps: number[];
}

export interface VirtualClockOptions {
  /** ISO 8601. */
  readonly start?: string;
  readonly remainingMs?: number;
  readonly random?: () => number;
}

export function virtualClock(options: VirtualClockOptions = {}): VirtualClock {
  const { start = '2026-06-12T12:00:00.250Z', remainingMs = 900_000, random = () => 0.5 } = options;
  let now = Date.parse(start);
  let remaining = remainingMs;
  const sleeps: number[] = [];

  function advance(ms: number): void {
    now += ms;
    remaining -= ms;
  }

  return {
    now: () => new Date(now),
    remainingMs: () => remaining,
    sleep: async (ms) => {
      sleeps.push(ms);
      advance(ms);
    },
    random,
    advance,
    jump: (ms) => {
      now += ms;
    },
    sleeps,
  };
}
