/** The parts of the archiver that the fault world runs. They can also be loaded with patched sources. */
export { createS3Store } from '../../lambdas/adapters/s3';
export { archive } from '../../lambdas/archiver/archive';
export { BATCH_LIMITS } from '../../lambdas/archiver/batch';
export type { Run } from '../../lambdas/archiver/run';
export { createSource } from '../../lambdas/archiver/source';
export { ConfigError, Failure, IntegrityError, Race, UpstreamError } from '../../lambdas/shared/errors';
export { TransportError } from '../../lambdas/shared/ports';
