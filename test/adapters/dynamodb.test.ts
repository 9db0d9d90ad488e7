/** What an error of DynamoDB becomes. The contract in `checkpoint-contract.ts` shows everything else. */
import { DynamoDBClient, DynamoDBServiceException } from '@aws-sdk/client-dynamodb';
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

function awsError(name: string): DynamoDBServiceException {
  return new DynamoDBServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
}
