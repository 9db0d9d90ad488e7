/**
 * The two keys. Lose the encryption key and the archive is unreadable, lock or no lock; let anybody else use the signing
 * key and the chain proves nothing. Both outlive the stack.
 */
import { Aws, RemovalPolicy, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as kms from 'aws-cdk-lib/aws-kms';
import { Construct } from 'constructs';
import type { BreakGlass } from './break-glass';
import { accountArn, denyAllBut, forThisAccount } from './policies';

interface KmsKeysProps {
  readonly name: string;
  readonly breakGlass: BreakGlass;
}

export class KmsKeys extends Construct {
  /** For the objects, the API keys, the logs and the query results. */
  readonly encryption: kms.Key;
  /** ECDSA P-256 / SHA-256, for the manifests. */
  readonly signing: kms.Key;

  constructor(scope: Construct, id: string, props: KmsKeysProps) {
    super(scope, id);
    this.encryption = new kms.Key(this, 'Encryption', {
      alias: props.name,
      description: `Encrypts ${props.name}`,
      enableKeyRotation: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.signing = new kms.Key(this, 'Signing', {
      alias: `${props.name}-signing`,
      description: `Signs the manifests of ${props.name}`,
      keySpec: kms.KeySpec.ECC_NIST_P256,
      keyUsage: kms.KeyUsage.SIGN_VERIFY,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    for (const key of [this.encryption, this.signing]) props.breakGlass.guardKey(key);
    this.encryption.addToResourcePolicy(this.encryptLogs());
    this.encryption.addToResourcePolicy(this.encryptQueryResults(props.name));
  }

  /** Nobody else in the account may sign, whatever an identity policy or a grant says. */
  signOnlyAs(role: iam.IRole): void {
    this.signing.addToResourcePolicy(
      denyAllBut(role, 'SignOnlyAsArchiver', { actions: ['kms:Sign'], resources: ['*'] }),
    );
  }

  private encryptLogs(): iam.PolicyStatement {
    // CloudFormation begins the name of a log group with the stack's; the group itself names this key, so the policy
    // cannot name the group without a circle.
    const groups = accountArn('logs', `log-group:${Stack.of(this).stackName}-*`);
    return new iam.PolicyStatement({
      sid: 'EncryptLogs',
      principals: [new iam.ServicePrincipal(`logs.${Aws.REGION}.amazonaws.com`)],
      actions: [
        'kms:Encrypt',
        'kms:Decrypt',
        'kms:ReEncryptFrom',
        'kms:ReEncryptTo',
        'kms:GenerateDataKey',
        'kms:DescribeKey',
      ],
      resources: ['*'],
      conditions: { ArnLike: { 'kms:EncryptionContext:aws:logs:arn': groups } },
    });
  }

  /** As in "Set up a KMS key policy for managed query results" of the Athena user guide. */
  private encryptQueryResults(workgroup: string): iam.PolicyStatement {
    const arn = accountArn('athena', `workgroup/${workgroup}`);
    return new iam.PolicyStatement({
      sid: 'EncryptQueryResults',
      principals: [new iam.ServicePrincipal('encryption.athena.amazonaws.com')],
      actions: ['kms:Decrypt', 'kms:GenerateDataKey', 'kms:DescribeKey'],
      resources: ['*'],
      conditions: {
        ArnLike: { 'kms:EncryptionContext:aws:athena:arn': arn, 'aws:SourceArn': arn },
        StringEquals: forThisAccount(),
      },
    });
  }
}
