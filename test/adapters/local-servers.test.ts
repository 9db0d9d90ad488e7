/** Runs the adapters against the local stand-ins for AWS. The suite `engines` runs the same tests on foreign servers. */
import { startDynamoDb } from '../../cli/local/dynamodb';
import { memoryStorage, s3Model } from '../../cli/local/s3-model';
import { startS3Server } from '../../cli/local/s3-server';
import { startSsmServer } from '../../cli/local/ssm-server';
import { testParameterStore } from '../support/api-key-contract';
import { testCheckpointTable } from '../support/checkpoint-contract';
import { testArchiveBucket } from '../support/object-store-contract';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

describe('the local stand-in for S3', () => {
  testArchiveBucket(async () => {
    const server = await startS3Server(s3Model(new Map([['archive', memoryStorage()]])));
    return { ...server, credentials, bucket: 'archive' };
  });
});

describe('the local stand-in for DynamoDB', () => {
  testCheckpointTable(async () => ({ ...(await startDynamoDb('checkpoints')), credentials, table: 'checkpoints' }));
});

describe('the local stand-in for SSM', () => {
  testParameterStore(async () => ({ ...(await startSsmServer()), credentials }));
});
