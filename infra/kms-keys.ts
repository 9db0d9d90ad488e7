/**
 * The two KMS keys. Without the encryption key nobody can read the archive, and if anybody else could use the signing
 * key, the chain would prove nothing. Both keys outlive the stack, and a later stack may adopt them.
 */

import { Aws, Stack } from 'aws-cdk-lib';
import type * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { ArchiveConfig } from './config';
import { keyAliases } from './names';
import { accountArn, allowService, denyAllBut, forThisAccount, KEPT_ALWAYS, roleArn } from './policies';

const READ_AND_WRITE = ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'];

interface KmsKeysProps {
  readonly name: string;
  readonly stage: string;
  readonly adopt: ArchiveConfig['adopt'];
}

export class KmsKeys extends Construct {
  /** Encrypts the objects, the API keys, the logs, the query results and the alarms. */
  readonly encryption: kms.IKey;
  /** Signs the manifests with ECDSA P-256 / SHA-256. */
  readonly signing: kms.IKey;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: KmsKeysProps,
  ) {
    super(scope, id);
    const { adopt, name } = props;
    this.encryption =
      adopt === null ? this.createEncryption() : kms.Key.fromKeyArn(this, 'Encryption', adopt.encryptionKeyArn);
    this.signing = adopt === null ? this.createSigning() : kms.Key.fromKeyArn(this, 'Signing', adopt.signingKeyArn);
    // Aliases go with the stack, so an adopting stack makes them again.
    const aliases = keyAliases(name);
    this.encryption.addAlias(aliases.encryption);
    this.signing.addAlias(aliases.signing);
  }

  private createEncryption(): kms.Key {
    const key = new kms.Key(this, 'Encryption', {
      description: `Encrypts ${this.props.name}`,
      enableKeyRotation: true,
      removalPolicy: KEPT_ALWAYS,
    });
    key.addToResourcePolicy(this.encryptLogs());
    key.addToResourcePolicy(this.encryptQueryResults());
    key.addToResourcePolicy(this.encryptAlarms());
    return key;
  }

  private createSigning(): kms.Key {
    const key = new kms.Key(this, 'Signing', {
      description: `Signs the manifests of ${this.props.name}`,
      keySpec: kms.KeySpec.ECC_NIST_P256,
      keyUsage: kms.KeyUsage.SIGN_VERIFY,
      removalPolicy: KEPT_ALWAYS,
    });
    // This denies signing to every other principal, even if an identity policy or a grant allows it.
    const archiver = roleArn(this.props.stage, 'archiver');
    key.addToResourcePolicy(denyAllBut([archiver], 'SignOnlyAsArchiver', ['kms:Sign'], ['*']));
    return key;
  }

  private encryptLogs(): iam.PolicyStatement {
    // The log group names this key, so the policy of the key cannot name the group without a circle. CloudFormation
    // begins the name of a log group with the name of the stack.
    const groups = accountArn('logs', `log-group:${Stack.of(this).stackName}-*`);
    const actions = [...READ_AND_WRITE, 'kms:Encrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'];
    return allowService(`logs.${Aws.REGION}.amazonaws.com`, 'EncryptLogs', actions, {
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
    });
  }

  /** SNS states the topic in every call. The policy of the topic says which alarms may notify it. */
  private encryptAlarms(): iam.PolicyStatement {
    const topics = accountArn('sns', `${Stack.of(this).stackName}-*`);
    return allowService('cloudwatch.amazonaws.com', 'EncryptAlarms', ['kms:Decrypt', 'kms:GenerateDataKey'], {
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:sns:topicArn': topics } },
    });
  }

  /** Source: "Set up a KMS key policy for managed query results" in the Athena user guide. */
  private encryptQueryResults(): iam.PolicyStatement {
    const arn = accountArn('athena', `workgroup/${this.props.name}`);
    return allowService('encryption.athena.amazonaws.com', 'EncryptQueryResults', READ_AND_WRITE, {
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:athena:arn': arn, 'aws:SourceArn': arn },
        StringEquals: forThisAccount(),
      },
    });
  }
}
