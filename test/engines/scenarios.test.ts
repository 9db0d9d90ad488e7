/** Every end-to-end scenario, unchanged, with S3 and DynamoDB that nobody here wrote. */
import { scenarios } from '../e2e/scenarios';
import { playAll } from '../support/scenario';
import { openEngineBackend } from './backend';
import { describeWith, stopServers } from './servers';

afterAll(stopServers);

for (const [about, some] of Object.entries(scenarios)) {
  describeWith(['versitygw', 'dynamodb-local'], about, () => playAll(some, openEngineBackend));
}
