/** One table of what each error of AWS means. The tests of the adapters show only that their calls use it. */

import { S3ServiceException } from '@aws-sdk/client-s3';
import { awsFailure, isRefusal } from '../../lambdas/adapters/aws-errors';

function awsError(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, message: `${name}!`, $fault: 'client', $metadata: { httpStatusCode } });
}

test.each([
  ['AccessDenied', 403],
  ['AccessDeniedException', 400],
  ['AuthorizationHeaderMalformed', 400],
  ['CredentialsProviderError', 400],
  ['DisabledException', 400],
  ['ExpiredToken', 400],
  ['ExpiredTokenException', 400],
  ['InvalidAccessKeyId', 403],
  ['InvalidArnException', 400],
  ['InvalidKeyId', 400],
  ['InvalidKeyUsageException', 400],
  ['InvalidObjectState', 403],
  ['InvalidSignatureException', 400],
  ['KMS.DisabledException', 400],
  ['KMS.KMSInvalidStateException', 400],
  ['KMS.NotFoundException', 400],
  ['KMSInvalidStateException', 400],
  ['NoSuchBucket', 404],
  ['NotFoundException', 400],
  ['ParameterNotFound', 400],
  ['ParameterVersionNotFound', 400],
  ['PermanentRedirect', 301],
  ['ResourceNotFoundException', 400],
  ['SignatureDoesNotMatch', 403],
  ['UnknownErrorThatIsForbidden', 403],
  ['UnrecognizedClientException', 400],
  ['UnsupportedOperationException', 400],
  ['ValidationException', 400],
])('the error %s with status %d is for the operator', (name, status) => {
  const cause = awsError(name, status);
  expect(isRefusal(cause)).toBe(true);
  const message = expect.stringMatching(`^reading the object: .*${name}`);
  expect(awsFailure(cause, 'reading the object')).toMatchObject({
    name: 'ConfigError',
    code: 'storage-refused',
    message,
    cause,
  });
});

test.each<[string, unknown]>([
  ['BadDigest', awsError('BadDigest', 400)],
  ['DependencyTimeoutException', awsError('DependencyTimeoutException', 503)],
  ['InternalError', awsError('InternalError', 500)],
  ['InternalServerError', awsError('InternalServerError', 500)],
  ['KMSInternalException', awsError('KMSInternalException', 500)],
  ['ProvisionedThroughputExceededException', awsError('ProvisionedThroughputExceededException', 400)],
  ['RequestLimitExceeded', awsError('RequestLimitExceeded', 400)],
  ['RequestTimeout', awsError('RequestTimeout', 400)],
  ['ServiceUnavailable', awsError('ServiceUnavailable', 503)],
  ['SlowDown', awsError('SlowDown', 503)],
  ['ThrottlingException', awsError('ThrottlingException', 400)],
  ['TooManyRequestsException', awsError('TooManyRequestsException', 429)],
  ['TimeoutError', Object.assign(new Error('timed out'), { name: 'TimeoutError' })],
  ...['ECONNREFUSED', 'ECONNRESET', 'ENOTFOUND', 'ETIMEDOUT', 'EAI_AGAIN'].map((code): [string, unknown] => [
    code,
    Object.assign(new Error(`connect ${code} 127.0.0.1:443`), { code }),
  ]),
  ['unknown error', 'a thrown value that is not an error'],
])('the error %s may pass, so the next run tries again', (name, cause) => {
  expect(isRefusal(cause)).toBe(false);
  const message = expect.stringMatching(`^reading the object: .*${name}`);
  expect(awsFailure(cause, 'reading the object')).toMatchObject({
    name: 'UpstreamError',
    code: 'storage-unavailable',
    message,
  });
});
