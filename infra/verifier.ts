/**
 * The function that verifies the archive every day, and sends the weekly mail. Its role reads the archive and the public key. It
 * can create anchors and nothing else, and it cannot sign, so whoever takes it over can neither forge evidence nor remove it.
 */

import { Aws } from 'aws-cdk-lib';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { anchorPrefix } from '../lambdas/shared/anchor';
import { mailEnvironment, verifierEnvironment } from '../lambdas/shared/contract';
import { encodeEnvironment } from '../lambdas/shared/env';
import type { KmsKeys } from './kms-keys';
import { ArchiveFunction } from './lambda-function';
import { archiveName } from './names';
import { allow } from './policies';

interface VerifierProps {
  readonly stage: string;
  readonly code: Code;
  readonly bucket: IBucket;
  readonly keys: KmsKeys;
}

export class Verifier extends ArchiveFunction {
  constructor(
    scope: Construct,
    id: string,
    private readonly props: VerifierProps,
  ) {
    const { stage, code, bucket, keys } = props;
    super(scope, id, {
      stage,
      role: 'verifier',
      roleDescription:
        'Reads and verifies the Postman audit archive; may create anchors and send mail and nothing else',
      rights: rights(bucket, keys),
      logKey: keys.encryption,
      description: `Verifies the archive ${archiveName(stage)}`,
      code,
      // It holds the keys of one team's objects, one batch and one segment.
      memorySize: 1024,
      environment: encodeEnvironment(verifierEnvironment, {
        bucket: bucket.bucketName,
        signingKey: keys.signing.keyArn,
      }),
      // The next day verifies again. A second retry could send a third mail.
      retryAttempts: 1,
    });
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

function rights(bucket: IBucket, keys: KmsKeys): PolicyStatement[] {
  const anchors = bucket.arnForObjects(`${anchorPrefix('*')}*`);
  return [
    allow('ListVersions', ['s3:ListBucket', 's3:ListBucketVersions'], [bucket.bucketArn]),
    allow('ReadObjectsAndLocks', ['s3:GetObject', 's3:GetObjectRetention'], [bucket.arnForObjects('*')]),
    allow('CreateAnchors', ['s3:PutObject'], [anchors], { Null: { 's3:if-none-match': 'false' } }),
    allow('DecryptObjects', ['kms:GenerateDataKey', 'kms:Decrypt'], [keys.encryption.keyArn], {
      StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
    }),
    allow('ReadPublicKey', ['kms:GetPublicKey'], [keys.signing.keyArn]),
  ];
}
