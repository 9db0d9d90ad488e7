/** One table of what each error of AWS means. The tests of the adapters show only that their calls use it. */

import { S3ServiceException } from '@aws-sdk/client-s3';
import { awsFailure, isRefusal } from '../../lambdas/adapters/aws-errors';

function awsError(name: string, httpStatusCode: number): S3ServiceException {
  return new S3ServiceException({ name, message: `${name}!`, $fault: 'client', $metadata: { httpStatusCode } });
}

function words(text: string): string[] {
  return text.trim().split(/\s+/);
}

test.each([
  ...words(`
    AccessDenied AccessDeniedException AuthorizationHeaderMalformed CredentialsProviderError DisabledException
    ExpiredToken ExpiredTokenException InvalidArnException InvalidKeyId InvalidKeyUsageException
    InvalidSignatureException KMS.DisabledException KMS.KMSInvalidStateException KMS.NotFoundException
    KMSInvalidStateException NoSuchBucket NotFoundException ParameterVersionNotFound
    PermanentRedirect ResourceNotFoundException UnrecognizedClientException UnsupportedOperationException
    ValidationException`).map((name): [string, number] => [name, 400]),
  ['UnknownErrorThatIsForbidden', 403],
])('the error %s with status %d is for the operator', (name, status) => {
  const cause = awsError(name, status);
  expect(isRefusal(cause)).toBe(true);
  const message = expect.stringMatching(`^reading the object: .*${name}`);
  const failure = { code: 'storage-refused', message, cause };
  expect(awsFailure(cause, 'reading the object')).toMatchObject(failure);
});

test.each<[string, unknown]>([
  ...words(`
    BadDigest KMSInternalException ProvisionedThroughputExceededException RequestTimeout SlowDown
    ThrottlingException TooManyRequestsException`).map((name): [string, unknown] => [name, awsError(name, 400)]),
  ['InternalError', awsError('InternalError', 500)],
  ['TimeoutError', Object.assign(new Error('timed out'), { name: 'TimeoutError' })],
  ['ECONNRESET', Object.assign(new Error('connect ECONNRESET 127.0.0.1:443'), { code: 'ECONNRESET' })],
  ['unknown error', 'a thrown value that is not an error'],
])('the error %s may pass, so the next run tries again', (name, cause) => {
  expect(isRefusal(cause)).toBe(false);
  const message = expect.stringMatching(`^reading the object: .*${name}`);
  const failure = { code: 'storage-unavailable', message };
  expect(awsFailure(cause, 'reading the object')).toMatchObject(failure);
});
