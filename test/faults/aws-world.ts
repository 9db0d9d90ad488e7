/** Scenarios in a world whose store is the real S3 adapter. */
import { createS3Store } from '../../lambdas/adapters/s3';
import { type AwsStoreOptions, createAwsStore } from './aws-store';
import type { Scenario } from './scenario';
import { scenarios } from './scenarios';

export const awsErrors: readonly AwsStoreOptions['error'][] = [
  ['SlowDown', 503],
  ['InternalError', 500],
  ['AccessDenied', 403],
  ['NoSuchBucket', 404],
  ['ExpiredToken', 400],
  ['BadDigest', 400],
  ['ConditionalRequestConflict', 409],
];

export function throughTheAdapter(name: string, options: Partial<AwsStoreOptions> = {}): Scenario {
  const scenario = scenarios.find((known) => known.name === name);
  if (scenario === undefined) throw new Error(`there is no scenario "${name}"`);
  const createStore: Scenario['setup']['createStore'] = (context, storage) =>
    createAwsStore(context, storage, { createS3Store, error: ['SlowDown', 503], ...options });
  return { ...scenario, setup: { ...scenario.setup, createStore } };
}
