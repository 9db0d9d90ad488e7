/** The adapters pass on foreign servers the same tests as on the servers of `local/`. */
import { testParameterStore } from '../support/api-key-contract';
import { testCheckpointTable } from '../support/checkpoint-contract';
import { testArchiveBucket } from '../support/object-store-contract';
import { createCheckpointTable, createLockedBucket, dynamoDbClientOf, s3ClientOf } from './clients';
import { type AwsServer, describeWith, startDynamoDbLocal, startMoto, startVersitygw, stopServers } from './servers';

afterAll(stopServers);

async function withBucket(server: AwsServer) {
  const client = s3ClientOf(server);
  await createLockedBucket(client, 'archive');
  client.destroy();
  return { ...server, bucket: 'archive' };
}

describeWith(['versitygw'], 'versitygw, a versioned and locked bucket', () => {
  testArchiveBucket(async () => withBucket(await startVersitygw()));
});

describeWith(['moto'], 'the S3 of moto, a versioned and locked bucket', () => {
  testArchiveBucket(async () => withBucket(await startMoto()));
});

describeWith(['dynamodb-local'], 'DynamoDB Local', () => {
  testCheckpointTable(async () => {
    const server = await startDynamoDbLocal();
    const client = dynamoDbClientOf(server);
    await createCheckpointTable(client, 'checkpoints');
    client.destroy();
    return { ...server, table: 'checkpoints' };
  });
});

describeWith(['moto'], 'the SSM of moto', () => testParameterStore(startMoto));
