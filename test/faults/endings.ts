/** The ways in which a run may end after it was broken. Every check throws a `Violation`. */
import type { Run } from './run';
import type { Scenario } from './scenario';
import { Violation } from './witness';

type Expected = Pick<Scenario, 'fails' | 'mayFail'>;

/** Checks a run that was alone in its world, broken or not. */
export function seemsRight(run: Run, { fails, mayFail = [] }: Expected): void {
  const { outcome, faulted } = run;
  if (outcome === undefined) return;
  if (outcome.kind === 'archived') hasCommitted(run, outcome.manifests);
  if (outcome.kind === 'race') throw new Violation('self-race', 'a run lost a race against itself');
  const code = outcome.kind === 'failed' ? outcome.code : undefined;
  if (faulted.length === 0 && code !== fails) throw new Violation('wrong-end', `the run ended ${say(run)}`);
  if (outcome.kind !== 'failed') return;
  if (outcome.isIntegrity && run.created.length > 0) throw new Violation('wrote-all-the-same', run.created.join(' '));
  if (outcome.code === fails || mayFail.includes(outcome.code)) return;
  if (outcome.isIntegrity) throw new Violation('false-alarm', `the run ended ${say(run)}`);
  // A lost response of the source is an answer that is missing. Any other lost response must have no effect.
  const isHarmless = faulted.every(({ method, mode }) => mode === 'lost' && method !== 'transport.get');
  if (isHarmless) throw new Violation('wrong-end', `the run ended ${say(run)}, although only a response was lost`);
}

export function whenClean(run: Run): void {
  if (run.outcome?.kind !== 'archived') throw new Violation('no-heal', `the clean run ended ${say(run)}`);
  hasCommitted(run, run.outcome.manifests);
}

/** Checks a run that was frozen while another run archived the same events. */
export function whenWoken(run: Run, { fails, mayFail = [] }: Expected): void {
  const { outcome } = run;
  if (outcome?.kind === 'archived') hasCommitted(run, outcome.manifests);
  if (outcome?.kind !== 'failed' || ['out-of-time', fails, ...mayFail].includes(outcome.code)) return;
  throw new Violation('zombie-fails', `the run that woke up ended ${say(run)}`);
}

/** A run that ends well has committed manifests of its own. */
export function hasCommitted({ created }: Run, manifests: number): void {
  const committed = created.filter((key) => key.startsWith('manifests/')).length;
  if (manifests === 0 || manifests !== committed)
    throw new Violation('silent-failure', 'a run ended well without a manifest');
}

export function say({ outcome, isDead, isFrozen }: Run): string {
  if (outcome === undefined) return isDead ? 'dead' : isFrozen ? 'frozen' : 'nowhere';
  return outcome.kind === 'failed' ? `with ${outcome.code}` : outcome.kind;
}
