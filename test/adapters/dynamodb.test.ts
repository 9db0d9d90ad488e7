import {
  ConditionalCheckFailedException,
  DynamoDBClient,
  DynamoDBServiceException,
  UpdateItemCommand,
} from '@aws-sdk/client-dynamodb';
import { mockClient } from 'aws-sdk-client-mock';
import { createCheckpointStore } from '../../lambdas/adapters/dynamodb';
import type { Lease } from '../../lambdas/shared/ports';

const now = new Date('2026-06-12T12:00:00.000Z');

function lease(runId: string): Lease {
  return { team: 'main', runId, now, until: new Date(now.getTime() + 55_000) };
}

const checkpoint = { previousSeq: undefined, seq: 1, position: now, release: false };

const mock = mockClient(DynamoDBClient);
const store = createCheckpointStore(new DynamoDBClient({ region: 'us-east-1' }), 'checkpoints');
beforeEach(() => mock.reset());

test.each<[string, () => Promise<unknown>]>([
  ['acquire', () => store.acquire(lease('run'))],
  ['save', () => store.save(lease('run'), checkpoint)],
  ['release', () => store.release(lease('run'))],
])('%s tells an error for the operator from one that may pass', async (_name, call) => {
  for (const [name, code] of [
    ['AccessDeniedException', 'storage-refused'],
    ['ResourceNotFoundException', 'storage-refused'],
    ['ProvisionedThroughputExceededException', 'storage-unavailable'],
  ] as const) {
    mock.rejects(awsError(name));
    await expect(call()).rejects.toMatchObject({ code, message: expect.stringContaining(name) });
  }
});

test('a failed condition is a result and not an error', async () => {
  mock.rejects(new ConditionalCheckFailedException({ message: 'The conditional request failed', $metadata: {} }));
  expect(await store.acquire(lease('run'))).toBe('held');
  expect(await store.save(lease('run'), checkpoint)).toBe('refused');
  await expect(store.release(lease('run'))).resolves.toBeUndefined();
});

test('every write has the condition that the run owns the lease', async () => {
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
