/**
 * What an AWS error means for the run. Access denied and missing resources are the operator's; everything else is
 * waited out. The SDK has retried already (throttling, 5xx, connection trouble) before an error comes here.
 */
import { ConfigError, type Failure, UpstreamError } from '../shared/errors';

const OPERATOR_ERRORS = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AllAccessDisabled',
  'NoSuchBucket',
  'PermanentRedirect',
  'ResourceNotFoundException',
  'KMSAccessDeniedException',
  'KMS.DisabledException',
  'KMS.NotFoundException',
  'DisabledException',
  'NotFoundException',
  'KMSInvalidStateException',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidAccessKeyId',
  'SignatureDoesNotMatch',
  'UnrecognizedClientException',
  'CredentialsProviderError',
]);

/** `what` names the operation and the object for the person who reads it. */
export function awsFailure(error: unknown, what: string): Failure {
  const name = errorName(error);
  if (OPERATOR_ERRORS.has(name)) {
    return new ConfigError(
      'storage-refused',
      `${what}: AWS answered ${name}; check the role's permissions and the stack`,
      {
        cause: error,
      },
    );
  }
  return new UpstreamError('storage-unavailable', `${what}: ${name}; the next run tries again`, { cause: error });
}

export function errorName(error: unknown): string {
  return error instanceof Error ? error.name : 'unknown error';
}

export function httpStatus(error: unknown): number | undefined {
  const metadata = typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  const status = (metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}
