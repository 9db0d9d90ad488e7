/** `cdk synth` and `cdk deploy` run this app. Its code asset holds the very file that the local world spawns. */

import { dirname, join } from 'node:path';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { archiveApp } from './archive-app';
import { type Bundle, bundle, bundleVerifier } from './bundle';
import { ConfigProblems } from './config';

const { CDK_DEFAULT_ACCOUNT: account, CDK_DEFAULT_REGION: region } = process.env;

try {
  const dist = join(import.meta.dirname, '..', 'dist');
  const env = { ...(account && { account }), ...(region && { region }) };
  archiveApp({
    archiverCode: (teams) => codeOf(bundle(join(dist, 'archiver'), teams)),
    verifierCode: () => codeOf(bundleVerifier(join(dist, 'verifier'))),
    env,
  }).synth();
} catch (error) {
  if (!(error instanceof ConfigProblems)) throw error;
  console.error(error.message);
  process.exitCode = 1;
}

function codeOf({ file }: Bundle): Code {
  return Code.fromAsset(dirname(file));
}
