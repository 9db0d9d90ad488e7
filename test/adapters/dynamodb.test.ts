import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { createCheckpointStore } from '../../lambdas/adapters/dynamodb';
import { ConfigError, UpstreamError } from '../../lambdas/shared/errors';
import type { Lease } from '../../lambdas/shared/ports';

const now = new Date('2026-06-12T12:00:00.000Z');

function lease(runId: string): Lease {
  return { team: 'main', runId, now, until: new Date(now.getTime() + 55_000) };
}

const checkpoint = { previousSeq: undefined, seq: 1, position: now, release: false };

describe('what an error of DynamoDB becomes', () => {
  const mock = mockClient(DynamoDBClient);
  const store = createCheckpointStore(new DynamoDBClient({ region: 'us-east-1' }), 'checkpoints');
  beforeEach(() => mock.reset());

  const calls: readonly [string, () => Promise<unknown>][] = [
    ['acquire', () => store.acquire(lease('run'))],
    ['save', () => store.save(lease('run'), checkpoint)],
    ['release', () => store.release(lease('run'))],
  ];

  test.each(calls)("%s: access denied and a missing table are the operator's", async (_name, call) => {
    for (const name of [
      'AccessDeniedException',
      'ResourceNotFoundException',
      'UnrecognizedClientException',
      'ValidationException',
    ]) {
      mock.rejects(awsError(name));
      const error: unknown = await call().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(ConfigError);
      expect(error).toMatchObject({ code: 'storage-refused', message: expect.stringContaining(name) });
    }
  });

  test.each(calls)('%s: throttling and outages are waited out', async (_name, call) => {
    for (const name of [
      'ProvisionedThroughputExceededException',
      'ThrottlingException',
      'RequestLimitExceeded',
      'InternalServerError',
    ]) {
      mock.rejects(awsError(name));
      const error: unknown = await call().catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(UpstreamError);
      expect(error).toMatchObject({ code: 'storage-unavailable', message: expect.stringContaining(name) });
    }
  });

  test('a failed condition is an answer', async () => {
    mock.rejects(new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} }));
    expect(await store.acquire(lease('run'))).toBe('held');
    expect(await store.save(lease('run'), checkpoint)).toBe('refused');
    await expect(store.release(lease('run'))).resolves.toBeUndefined();
  });

  test('every write is conditional, and says so', async () => {
    mock.resolves({ Attributes: { seq: { N: '7' } } });
    expect(await store.acquire(lease('run'))).toEqual({ seq: 7 });
    await store.save(lease('run'), checkpoint);
    await store.save(lease('run'), { ...checkpoint, previousSeq: 7, seq: 8, release: true });
    await store.release(lease('run'));
    const inputs = mock.commandCalls(UpdateItemCommand).map(({ args }) => args[0].input);
    expect(inputs).toHaveLength(4);
    for (const input of inputs) {
      expect(input).toMatchObject({ TableName: 'checkpoints', Key: { team: { S: 'main' } } });
      expect(input.ConditionExpression).toContain('leaseOwner = :owner');
    }
  });

  function awsError(name: string): DynamoDBServiceException {
    return new DynamoDBServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
  }
});
