/**
 * The function that archives. Its role can read the archive, create objects and sign. It cannot delete or overwrite, and it has no
 * rights outside this stage.
 */

import { Aws, Duration } from 'aws-cdk-lib';
import type { ITable } from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import type { Construct } from 'constructs';
import { ARCHIVER_MEMORY_MB, archiverEnvironment } from '../lambdas/shared/contract';
import { encodeEnvironment } from '../lambdas/shared/env';
import { areaPrefix, batchPrefix, manifestPrefix } from '../lambdas/shared/object-keys';
import type { ArchiveConfig } from './config';
import type { KmsKeys } from './kms-keys';
import { ArchiveFunction } from './lambda-function';
import { archiveName, keyAliases, parameterPath, parametersElsewhere } from './names';
import { accountArn, allow } from './policies';

/** The patterns of the keys of all objects of all teams. */
const OBJECTS = [manifestPrefix('*'), batchPrefix('*'), areaPrefix('events', '*'), areaPrefix('quarantine', '*')].map(
  (prefix) => `${prefix}*`,
);

interface ArchiverProps {
  readonly config: ArchiveConfig;
  readonly code: Code;
  readonly bucket: IBucket;
  readonly table: ITable;
  readonly keys: KmsKeys;
}

export class Archiver extends ArchiveFunction {
  constructor(scope: Construct, id: string, props: ArchiverProps) {
    const { config, code, bucket, table, keys } = props;
    super(scope, id, {
      stage: config.stage,
      role: 'archiver',
      roleDescription: 'Creates and signs the objects of the Postman audit archive; may not delete or overwrite',
      rights: rights(props),
      logKey: keys.encryption,
      description: `Archives Postman audit logs (${archiveName(config.stage)})`,
      code,
      // A run needs less than 256 MB. Twice that gives CPU for gzip and room for an event of 16 MB.
      memorySize: ARCHIVER_MEMORY_MB,
      environment: encodeEnvironment(archiverEnvironment, {
        ...config,
        bucket: bucket.bucketName,
        table: table.tableName,
        signingKey: keys.signing.keyArn,
        encryptionKey: keyAliases(archiveName(config.stage)).encryption,
      }),
      // Lambda retries a failed run after one minute and again after two. The lease of a dead run ends at about the
      // first retry, and certainly before the second. After that the next scheduled run does the work, so a failed run
      // goes to no queue: the log tells of it, and the alarm `silent`.
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
      // No concurrency is reserved, because overlapping runs do no harm and a new account has none to reserve.
    });
  }
}

function rights({ config, bucket, table, keys }: ArchiverProps): PolicyStatement[] {
  const objects = OBJECTS.map((pattern) => bucket.arnForObjects(pattern));
  // One right covers the path of the stage, so that a hundred teams need no longer policy than one.
  const named = config.teams.map((team) => team.apiKeyParameter);
  const paths = [`${parameterPath(config.stage)}*`, ...parametersElsewhere(config.stage, named)];
  const parameters = paths.map((name) => accountArn('ssm', `parameter${name}`));
  return [
    // Without this right S3 answers 403 instead of 404 for a missing object, and the read of an object names no prefix. A
    // condition on the prefix could keep a run from publishing what an interrupted run has committed.
    allow('ListArchive', ['s3:ListBucket'], [bucket.bucketArn]),
    allow('ReadObjects', ['s3:GetObject'], objects),
    allow('CreateObjects', ['s3:PutObject'], objects, { Null: { 's3:if-none-match': 'false' } }),
    allow('EncryptObjects', ['kms:GenerateDataKey', 'kms:Decrypt'], [keys.encryption.keyArn], {
      StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
    }),
    allow('ReadPublicKey', ['kms:GetPublicKey'], [keys.signing.keyArn]),
    allow('SignManifests', ['kms:Sign'], [keys.signing.keyArn], {
      StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' },
    }),
    allow('ReadApiKeys', ['ssm:GetParameter'], parameters),
    // The printed command puts an API key under the archive's own KMS key. The key aws/ssm would decrypt it for
    // everybody in the account, without a right of its own.
    allow('DecryptApiKeys', ['kms:Decrypt'], [keys.encryption.keyArn], {
      StringEquals: { 'kms:ViaService': `ssm.${Aws.REGION}.amazonaws.com` },
      ArnLike: { 'kms:EncryptionContext:PARAMETER_ARN': parameters },
    }),
    allow('MoveCheckpoint', ['dynamodb:UpdateItem'], [table.tableArn]),
  ];
}
