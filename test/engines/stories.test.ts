/** Every end-to-end story, unchanged, on a foreign S3 and a foreign DynamoDB. */
import { stories } from '../e2e/stories';
import { playAll } from '../support/scenario';
import { openEngineBackend } from './backend';
import { describeWith, stopServers } from './servers';

afterAll(stopServers);

describeWith(['versitygw', 'dynamodb-local'], 'on versitygw and DynamoDB Local', () =>
  playAll(stories, openEngineBackend),
);
