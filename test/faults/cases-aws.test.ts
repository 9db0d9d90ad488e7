import { createS3Store } from '../../lambdas/adapters/s3';
import { createAwsStore } from './aws-store';
import { BREAKAGES, breakEverywhere } from './exhaustive';
import type { Scenario } from './scenario';
import { scenarios } from './scenarios';

const ERRORS: readonly (readonly [string, number])[] = [
  ['SlowDown', 503],
  ['InternalError', 500],
  ['AccessDenied', 403],
  ['NoSuchBucket', 404],
  ['ExpiredToken', 400],
  ['BadDigest', 400],
  ['ConditionalRequestConflict', 409],
];

// The adapter waits for a conflict to be over in real time, which there is none of here.
beforeEach(() => {
  jest.spyOn(globalThis, 'setTimeout').mockImplementation(((then: () => void) => queueMicrotask(then)) as never);
});

function throughTheAdapter(name: string, error: readonly [string, number]): Scenario {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario "${name}"`);
  const createStore: Scenario['setup']['createStore'] = (context, storage) =>
    createAwsStore(context, storage, { createS3Store, error });
  return { ...scenario, setup: { ...scenario.setup, createStore } };
}

test.each(ERRORS)('the adapter survives %s at every operation', async (...error) => {
  const breakages = BREAKAGES.filter(({ mode }) => mode === 'before' || mode === 'after');
  await breakEverywhere(throughTheAdapter('several batches', error), breakages);
});

test('the adapter meets what it wrote itself, and recognises it', async () => {
  const breakages = BREAKAGES.filter(({ mode }) => mode === 'lost' || mode === 'freeze');
  await breakEverywhere(throughTheAdapter('several batches', ['SlowDown', 503]), breakages);
});
