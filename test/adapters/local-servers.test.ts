/** The adapters against the local world's servers. The suite `engines` has the same tests for other people's servers. */
import { startDynamoDb } from '../../local/dynamodb';
import { memoryStorage, s3Model } from '../../local/s3-model';
import { startS3Server } from '../../local/s3-server';
import { startSsmServer } from '../../local/ssm-server';
import { testParameterStore } from '../support/api-key-contract';
import { testCheckpointTable } from '../support/checkpoint-contract';
import { testArchiveBucket } from '../support/object-store-contract';

const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };

describe("the local world's S3", () => {
  testArchiveBucket(async () => {
    const server = await startS3Server(s3Model(new Map([['archive', memoryStorage()]])));
    return { ...server, credentials, bucket: 'archive' };
  });
});

describe("the local world's DynamoDB", () => {
  testCheckpointTable(async () => ({ ...(await startDynamoDb('checkpoints')), credentials, table: 'checkpoints' }));
});

describe("the local world's SSM", () => {
  testParameterStore(async () => ({ ...(await startSsmServer()), credentials }));
});
