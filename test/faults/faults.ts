/**
 * The faults of a run. Every call through a port is one numbered operation. A fault names a number and what happens to
 * that operation; with `forGood`, the same happens to every later operation of the run.
 */
import type { Scheduler } from './scheduler';

export const METHODS = [
  'store.list',
  'store.get',
  'store.create',
  'checkpoints.acquire',
  'checkpoints.save',
  'checkpoints.release',
  'transport.get',
  'apiKeys.read',
  'signer.sign',
] as const;
export type Method = (typeof METHODS)[number];

export type Mode =
  /** The operation throws, and nothing was done. */
  | 'before'
  /** The operation is done, and then throws. */
  | 'after'
  /** The operation is done, its response is lost, and the retry inside the port meets its own work. */
  | 'lost'
  /** The process ends, and nothing was done. */
  | 'die-before'
  /** The operation is done, and then the process ends. */
  | 'die-after'
  /** The process stops before the operation, and goes on when it is woken. */
  | 'freeze';

export interface Fault {
  /** The number of the operation, counted from 1. */
  readonly at: number;
  readonly mode: Mode;
  readonly forGood?: boolean;
}

/** A record of a run, written while it runs. */
export interface Trace {
  readonly operations: Method[];
  readonly faulted: { readonly method: Method; readonly mode: Mode }[];
  isDead: boolean;
  isFrozen: boolean;
}

export interface Operation<T> {
  readonly method: Method;
  /** One synchronous step on a model. */
  readonly step: () => T;
  /** The error that the adapter would throw. */
  readonly failure: () => Error;
}

export interface PerformerOptions<Actor extends Trace> {
  readonly actor: Actor;
  readonly faults: readonly Fault[];
  readonly scheduler: Scheduler<Actor>;
  readonly latency: (method: Method) => number;
  /** In epoch milliseconds. No operation is done after this instant. */
  readonly killedAt: number;
}

export type Perform = <T>(operation: Operation<T>) => Promise<T>;

export function createPerformer<Actor extends Trace>(options: PerformerOptions<Actor>): Perform {
  const { actor, scheduler } = options;

  function modeOf(number: number): Mode | undefined {
    return options.faults.find(({ at, forGood = false }) => (forGood ? number >= at : number === at))?.mode;
  }

  /** The run is abandoned: the operation that it awaits never ends. */
  function die(): Promise<never> {
    actor.isDead = true;
    scheduler.drop(actor);
    return new Promise(() => undefined);
  }

  async function freeze(): Promise<void> {
    actor.isFrozen = true;
    scheduler.freeze(actor);
    await scheduler.turn(actor, 0);
    actor.isFrozen = false;
  }

  return async ({ method, step, failure }) => {
    await scheduler.turn(actor, options.latency(method));
    if (scheduler.now() > options.killedAt) return die();
    const mode = modeOf(actor.operations.push(method));
    if (mode !== undefined) actor.faulted.push({ method, mode });
    if (mode === 'freeze') await freeze();
    if (mode === 'die-before') return die();
    if (mode === 'before') throw failure();
    const answer = step();
    if (mode === 'die-after') return die();
    if (mode === 'after') throw failure();
    return mode === 'lost' ? step() : answer;
  };
}
