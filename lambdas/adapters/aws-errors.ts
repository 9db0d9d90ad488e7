/**
 * Translates an AWS error into a `Failure`. The operator must act when access is denied or a resource is missing. Every other
 * error is expected to pass. The SDK has already retried throttling, 5xx answers and connection errors.
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
  'ParameterVersionNotFound',
  'PermanentRedirect',
  'ResourceNotFoundException',
  'UnrecognizedClientException',
  'UnsupportedOperationException',
  'ValidationException',
]);

/** `operation` names what was done and to which object, for the person who reads the message. */
export function awsFailure(
  error: unknown,
  operation: string,
  { refused = 'storage-refused' }: { readonly refused?: 'storage-refused' | 'signing-refused' } = {},
): Failure {
  const name = errorName(error);
  if (isRefusal(error)) {
    const message = `${operation}: AWS answered ${name}; check the role's permissions and the stack`;
    return new ConfigError(refused, message, { cause: error });
  }
  return new UpstreamError('storage-unavailable', `${operation}: ${name}; the next run tries again`, { cause: error });
}

/** Whether a retry is useless until somebody has repaired the configuration. */
export function isRefusal(error: unknown): boolean {
  return REFUSALS.has(errorName(error)) || httpStatus(error) === 403;
}

/** The name that AWS gives the error, or the system's code (such as ECONNREFUSED) where AWS did not answer. */
export function errorName(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown error';
  return 'code' in error && typeof error.code === 'string' ? error.code : error.name;
}

export function httpStatus(error: unknown): number | undefined {
  const metadata = typeof error === 'object' && error !== null && '$metadata' in error ? error.$metadata : undefined;
  const status = (metadata as { httpStatusCode?: unknown } | undefined)?.httpStatusCode;
  return typeof status === 'number' ? status : undefined;
}
