/**
 * The two KMS keys. Without the encryption key nobody can read the archive, and if anybody else could use the signing
 * key, the chain would prove nothing. Both keys outlive the stack.
 */

import { Aws, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import { accountArn, denyAllBut, forThisAccount, KEPT_ALWAYS, roleArn } from './policies';

const READ_AND_WRITE = ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'];

interface KmsKeysProps {
  readonly name: string;
  readonly stage: string;
}

export class KmsKeys extends Construct {
  /** Encrypts the objects, the API keys, the logs and the query results. */
  readonly encryption: kms.Key;
  /** Signs the manifests with ECDSA P-256 / SHA-256. */
  readonly signing: kms.Key;

  constructor(scope: Construct, id: string, props: KmsKeysProps) {
    super(scope, id);
    this.encryption = new kms.Key(this, 'Encryption', {
      alias: props.name,
      description: `Encrypts ${props.name}`,
      enableKeyRotation: true,
      removalPolicy: KEPT_ALWAYS,
    });
    this.signing = new kms.Key(this, 'Signing', {
      alias: `${props.name}-signing`,
      description: `Signs the manifests of ${props.name}`,
      keySpec: kms.KeySpec.ECC_NIST_P256,
      keyUsage: kms.KeyUsage.SIGN_VERIFY,
      removalPolicy: KEPT_ALWAYS,
    });
    this.encryption.addToResourcePolicy(this.encryptLogs());
    this.encryption.addToResourcePolicy(this.encryptQueryResults(props.name));
    // Nobody else signs, even if an identity policy or a grant allows it.
    const archiver = roleArn(props.stage, 'archiver');
    this.signing.addToResourcePolicy(denyAllBut([archiver], 'SignOnlyAsArchiver', ['kms:Sign'], ['*']));
  }

  private encryptLogs(): iam.PolicyStatement {
    // The log group names this key, so the policy of the key cannot name the group without a circle. CloudFormation
    // begins the name of a log group with the name of the stack.
    const groups = accountArn('logs', `log-group:${Stack.of(this).stackName}-*`);
    return new iam.PolicyStatement({
      sid: 'EncryptLogs',
      principals: [new iam.ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
      actions: [...READ_AND_WRITE, 'kms:Encrypt', 'kms:ReEncryptFrom', 'kms:ReEncryptTo'],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
    });
  }

  /** Source: "Set up a KMS key policy for managed query results" in the Athena user guide. */
  private encryptQueryResults(workgroup: string): iam.PolicyStatement {
    const arn = accountArn('athena', `workgroup/${workgroup}`);
    return new iam.PolicyStatement({
      sid: 'EncryptQueryResults',
      principals: [new iam.ServicePrincipal('encryption.athena.amazonaws.com')],
      actions: READ_AND_WRITE,
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:athena:arn': arn, 'aws:SourceArn': arn },
        StringEquals: forThisAccount(),
      },
    });
  }
}
