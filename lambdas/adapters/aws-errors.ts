/**
 * What an AWS error means for the run. Access denied and missing resources are the operator's; everything else is
 * waited out. The SDK has retried already (throttling, 5xx, connection trouble) before an error comes here.
 */
import { ConfigError, type Failure, UpstreamError } from '../shared/errors';

const REFUSALS = new Set([
  'AccessDenied',
  'AccessDeniedException',
  'AuthorizationHeaderMalformed',
  'CredentialsProviderError',
  'DisabledException',
  'ExpiredToken',
  'ExpiredTokenException',
  'InvalidArnException',
  'InvalidKeyId',
  'InvalidKeyUsageException',
  'InvalidSignatureException',
  'KMS.DisabledException',
  'KMS.KMSInvalidStateException',
  'KMS.NotFoundException',
  'KMSInvalidStateException',
  'NoSuchBucket',
  'NotFoundException',
  'ParameterNotFound',
  'ParameterVersionNotFound',
  'PermanentRedirect',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'UnsupportedOperationException',
  'ValidationException',
]);

export interface FailureMeaning {
  readonly refused: 'storage-refused' | 'signing-refused';
}

/** `what` names the operation and the object for the person who reads it. */
export function awsFailure(
  error: unknown,
  what: string,
  { refused }: FailureMeaning = { refused: 'storage-refused' },
): Failure {
  const name = errorName(error);
  if (isRefusal(error)) {
    const message = `${what}: AWS answered ${name}; check the role's permissions and the stack`;
    return new ConfigError(refused, message, { cause: error });
  }
  return new UpstreamError('storage-unavailable', `${what}: ${name}; the next run tries again`, { cause: error });
}

/** Whether asking again is of no use before somebody has mended something. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(errorName(error)) || httpStatus(error) === 403;
}

/** AWS's name for the error, or the system's code (ECONNREFUSED) where it never came to an answer. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

export function httpStatus(error: unknown): number | undefined {
  const metadata = typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  const status = (metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}
