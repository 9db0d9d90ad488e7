/** The outputs of the stack: commands and names that the person who deploys needs next, ready to be copied. */

import { Aws } from 'aws-cdk-lib';
import { storeApiKey } from '../lambdas/shared/contract';
import type { ArchiveConfig, TeamConfig } from './config';
import type { KmsKeys } from './kms-keys';
import { keyAliases } from './names';
import type { Storage } from './storage';

/** One output per team: the command that stores its API key. `name` is the name of the archive. */
export function putApiKeys(name: string, teams: readonly TeamConfig[]): Readonly<Record<string, string>> {
  const place = { region: Aws.REGION, encryptionKey: keyAliases(name).encryption };
  return Object.fromEntries(
    teams.map((team) => [`PutApiKey${outputName(team.name)}`, storeApiKey(team.apiKeyParameter, place)]),
  );
}

/** An output's name holds only letters and digits. Names of teams have no capitals, so that no two teams share one. */
function outputName(team: string): string {
  return team.charAt(0).toUpperCase() + team.slice(1).replaceAll('-', 'X');
}

/** The command starts a run, waits until it ends, and prints its summary. */
export function runNow(functionName: string, team = ''): string {
  // Versions 1 and 2 of the AWS CLI read an argument each in its own way, and a file alike. A first run may take 15 minutes.
  return (
    `printf '{"team":"${team}","scheduledTime":"%s"}' "$(date -u +%FT%TZ)" | aws lambda invoke --region ${Aws.REGION}` +
    ` --function-name ${functionName} --cli-read-timeout 0 --payload fileb:///dev/stdin run.json && cat run.json`
  );
}

export function firstQuery(database: string, team = ''): string {
  return (
    `SELECT event_time, action, actor_name, message FROM ${database}.events WHERE team = '${team}'` +
    " AND dt >= date_format(current_date - interval '7' day, '%Y-%m-%d') ORDER BY event_time DESC LIMIT 100"
  );
}

export function publicKey(keyArn: string): string {
  return (
    `aws kms get-public-key --region ${Aws.REGION} --key-id ${keyArn} --query PublicKey --output text` +
    ' | base64 --decode | openssl pkey -pubin -inform DER -out archive.pub.pem'
  );
}

/** The value of `adopt` with which a later stack goes on with what this one leaves. */
export function kept({ bucket, accessLogs, table }: Storage, { encryption, signing }: KmsKeys): ArchiveConfig['adopt'] {
  return {
    bucket: bucket.bucketName,
    accessLogs: accessLogs.bucketName,
    table: table.tableName,
    encryptionKeyArn: encryption.keyArn,
    signingKeyArn: signing.keyArn,
  };
}
