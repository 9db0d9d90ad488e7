/**
 * Virtual time. Each operation of an actor waits for its turn, turns come in the order of their instants, and between two
 * turns every promise runs as far as it can. So runs interleave at every operation, and the same latencies give the same
 * interleaving on every machine.
 */
import { everythingRests } from './other-threads';

export type Scheduler<Actor> = ReturnType<typeof createScheduler<Actor>>;

interface Turn<Actor> {
  readonly actor: Actor;
  readonly at: number;
  readonly begin: () => void;
}

/** Far more than any world needs. A world that takes more turns repeats itself. */
const MAX_TURNS = 200_000;

export function createScheduler<Actor>(start: number) {
  let now = start;
  let waiting: Turn<Actor>[] = [];
  const frozen = new Set<Actor>();

  function takeNext(): Turn<Actor> | undefined {
    let next: Turn<Actor> | undefined;
    for (const turn of waiting) if (!frozen.has(turn.actor) && (next === undefined || turn.at < next.at)) next = turn;
    waiting = waiting.filter((turn) => turn !== next);
    return next;
  }

  return {
    /** Epoch milliseconds. */
    now: () => now,
    advance: (ms: number) => {
      now += ms;
    },
    /** Resolves when `delayMs` have passed, and never while the actor is frozen. */
    turn: (actor: Actor, delayMs: number) =>
      new Promise<void>((begin) => {
        waiting.push({ actor, at: now + delayMs, begin });
      }),
    /** The actor stops at once, and does not notice how long. */
    freeze: (actor: Actor) => frozen.add(actor),
    thaw: (actor: Actor) => frozen.delete(actor),
    /** The turns of the actor never come. */
    drop: (actor: Actor) => {
      waiting = waiting.filter((turn) => turn.actor !== actor);
    },
    /** Lets time pass until every actor that still waits is frozen. */
    drive: async () => {
      for (let turns = 0; turns < MAX_TURNS; turns += 1) {
        await everythingRests();
        const next = takeNext();
        if (next === undefined) return;
        now = Math.max(now, next.at);
        next.begin();
      }
      throw new Error(`the world did not come to rest within ${MAX_TURNS} turns`);
    },
  };
}
