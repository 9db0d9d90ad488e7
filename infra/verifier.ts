/**
 * The function that verifies the archive every day, and sends the weekly mail. Its role reads the archive and the public key. It
 * can create anchors and nothing else, and it cannot sign, so whoever takes it over can neither forge evidence nor remove it.
 */

import { Aws, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { anchorPrefix } from '../lambdas/shared/anchor';
import { mailEnvironment, verifierEnvironment } from '../lambdas/shared/contract';
import { encodeEnvironment } from '../lambdas/shared/env';
import type { KmsKeys } from './kms-keys';
import { archiveName, roleName } from './names';
import { allow, KEPT } from './policies';

interface VerifierProps {
  readonly stage: string;
  readonly code: lambda.Code;
  readonly bucket: IBucket;
  readonly keys: KmsKeys;
}

export class Verifier extends Construct {
  readonly function: lambda.Function;
  readonly logGroup: logs.LogGroup;
  private readonly policy: iam.Policy;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: VerifierProps,
  ) {
    super(scope, id);
    const { stage, code, bucket, keys } = props;
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      encryptionKey: keys.encryption,
      retention: logs.RetentionDays.THIRTEEN_MONTHS,
      removalPolicy: KEPT,
    });
    const role = new iam.Role(this, 'Role', {
      roleName: roleName(stage, 'verifier', Aws.REGION),
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Reads and verifies the Postman audit archive; may create anchors and send mail and nothing else',
    });
    this.function = new lambda.Function(this, 'Function', {
      description: `Verifies the archive ${archiveName(stage)}`,
      code,
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      // It holds the keys of one team's objects, one batch and one segment.
      memorySize: 1024,
      // This is the longest time that Lambda allows. The verifier leaves the rest of its work to the next day.
      timeout: Duration.minutes(15),
      role,
      logGroup: this.logGroup,
      environment: encodeEnvironment(verifierEnvironment, {
        bucket: bucket.bucketName,
        signingKey: keys.signing.keyArn,
      }),
      // The next day verifies again. A second retry could send a third mail.
      retryAttempts: 1,
    });
    const statements = rights(bucket, keys, this.logGroup);
    this.policy = new iam.Policy(this, 'Policy', { roles: [role], statements });
    this.function.node.addDependency(this.policy);
  }

  /** The topic of the archive is under its key. The policies of any other topic and of its key must let the role publish. */
  sendMailTo(topicArn: string, { isOwn }: { readonly isOwn: boolean }): void {
    this.function.addEnvironment(mailEnvironment.topic.name, topicArn);
    this.policy.addStatements(allow('SendMail', ['sns:Publish'], [topicArn]));
    if (!isOwn) return;
    this.policy.addStatements(
      allow('EncryptMail', ['kms:GenerateDataKey', 'kms:Decrypt'], [this.props.keys.encryption.keyArn], {
        StringEquals: { 'kms:EncryptionContext:aws:sns:topicArn': topicArn },
      }),
    );
  }
}

function rights(bucket: IBucket, keys: KmsKeys, logGroup: logs.LogGroup): iam.PolicyStatement[] {
  const anchors = bucket.arnForObjects(`${anchorPrefix('*')}*`);
  return [
    allow('ListVersions', ['s3:ListBucket', 's3:ListBucketVersions'], [bucket.bucketArn]),
    allow('ReadObjectsAndLocks', ['s3:GetObject', 's3:GetObjectRetention'], [bucket.arnForObjects('*')]),
    allow('CreateAnchors', ['s3:PutObject'], [anchors], { Null: { 's3:if-none-match': 'false' } }),
    allow('DecryptObjects', ['kms:GenerateDataKey', 'kms:Decrypt'], [keys.encryption.keyArn], {
      StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
    }),
    allow('ReadPublicKey', ['kms:GetPublicKey'], [keys.signing.keyArn]),
    allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [logGroup.logGroupArn]),
  ];
}
