/**
 * The two KMS keys. Without the encryption key nobody can read the archive, and if anybody else could use the signing
 * key, the chain would prove nothing. Both keys outlive the stack, and a later stack may adopt them.
 */

import { Aws, Stack } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { ArchiveConfig } from './config';
import { archiveName, keyAliases } from './names';
import { accountArn, allowService, denyAllBut, FOR_THIS_ACCOUNT, KEPT_ALWAYS, roleArn } from './policies';

const READ_AND_WRITE = ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'];

export class KmsKeys extends Construct {
  /** Encrypts the objects, the API keys, the logs, the query results and the alarms. */
  readonly encryption: kms.IKey;
  /** Signs the manifests with ECDSA P-256 / SHA-256. */
  readonly signing: kms.IKey;

  constructor(scope: Construct, id: string, { stage, adopt }: Pick<ArchiveConfig, 'stage' | 'adopt'>) {
    super(scope, id);
    this.encryption = adopt
      ? kms.Key.fromKeyArn(this, 'Encryption', adopt.encryptionKeyArn)
      : createEncryption(this, archiveName(stage));
    this.signing = adopt ? kms.Key.fromKeyArn(this, 'Signing', adopt.signingKeyArn) : createSigning(this, stage);
    // Aliases go with the stack, so an adopting stack makes them again.
    const aliases = keyAliases(archiveName(stage));
    this.encryption.addAlias(aliases.encryption);
    this.signing.addAlias(aliases.signing);
  }
}

function createEncryption(scope: Construct, archive: string): kms.Key {
  const key = new kms.Key(scope, 'Encryption', {
    description: `Encrypts ${archive}`,
    enableKeyRotation: true,
    removalPolicy: KEPT_ALWAYS,
  });
  const { stackName } = Stack.of(scope);
  for (const right of [encryptLogs(stackName), encryptQueryResults(archive), encryptAlarms(stackName)])
    key.addToResourcePolicy(right);
  return key;
}

function createSigning(scope: Construct, stage: string): kms.Key {
  const key = new kms.Key(scope, 'Signing', {
    description: `Signs the manifests of ${archiveName(stage)}`,
    keySpec: kms.KeySpec.ECC_NIST_P256,
    keyUsage: kms.KeyUsage.SIGN_VERIFY,
    removalPolicy: KEPT_ALWAYS,
  });
  // This denies signing to every other principal, even if an identity policy or a grant allows it.
  key.addToResourcePolicy(denyAllBut([roleArn(stage, 'archiver')], 'SignOnlyAsArchiver', ['kms:Sign'], ['*']));
  return key;
}

/**
 * The log group names this key, so the policy of the key cannot name the group without a circle. CloudFormation begins
 * the name of a log group with the name of the stack.
 */
function encryptLogs(stackName: string): PolicyStatement {
  const actions = [...READ_AND_WRITE, 'kms:Encrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
  return allowService(`logs.${Aws.REGION}.amazonaws.com`, 'EncryptLogs', actions, {
    conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': accountArn('logs', `log-group:${stackName}-*`) } },
  });
}

/** SNS states the topic in every call. The policy of the topic says which alarms may notify it. */
function encryptAlarms(stackName: string): PolicyStatement {
  return allowService('cloudwatch.amazonaws.com', 'EncryptAlarms', ['kms:Decrypt', 'kms:GenerateDataKey'], {
    conditions: { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': accountArn('sns', `${stackName}-*`) } },
  });
}

/** Source: "Set up a KMS key policy for managed query results" in the Athena user guide. */
function encryptQueryResults(archive: string): PolicyStatement {
  const arn = accountArn('athena', `workgroup/${archive}`);
  return allowService('encryption.athena.amazonaws.com', 'EncryptQueryResults', READ_AND_WRITE, {
    conditions: {
      ArnLike: { 'kms:EncryptionContext:aws:athena:arn': arn, 'aws:SourceArn': arn },
      StringEquals: FOR_THIS_ACCOUNT,
    },
  });
}
