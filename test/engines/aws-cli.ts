/** A shell in which `aws` is the real AWS CLI, with the engines in place of AWS. It runs the lines of our documents. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { scratch } from '../support/scratch';
import { engineFolder } from './install';
import { type AwsServer, REGION } from './servers';

/** The environment of the shell. Variables such as `AWS_ENDPOINT_URL_DYNAMODB` name servers of their own. */
export function shellEnvironment({ url, credentials }: Pick<AwsServer, 'url' | 'credentials'>) {
  const bin = join(scratch, 'bin');
  mkdirSync(bin, { recursive: true });
  // pip's own script names the folder in which the engine was installed before it was put in place.
  const python = join(engineFolder('awscli'), 'bin/python');
  writeFileSync(join(bin, 'aws'), `#!/bin/sh\nexec ${python} -m awscli "$@"\n`, { mode: 0o755 });
  return {
    PATH: `${bin}:${process.env.PATH}`,
    HOME: scratch,
    AWS_ENDPOINT_URL: url,
    AWS_DEFAULT_REGION: REGION,
    AWS_ACCESS_KEY_ID: credentials.accessKeyId,
    AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
  };
}
