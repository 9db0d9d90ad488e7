/** The program with the real S3 adapter. */
export { createS3Store } from '../../lambdas/adapters/s3';
export * from './program';
