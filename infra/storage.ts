/**
 * The bucket under lock, its access log, and the checkpoint table. All of them and their policies outlive the stack, so
 * that `cdk destroy` can neither delete evidence nor leave it unprotected. A later stack adopts them as they are: it
 * refers to them by name and does not manage them.
 */

import { Aws, Duration } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type { PolicyStatement } from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { anchorPrefix } from '../lambdas/shared/anchor';
import { areaPrefix, batchPrefix } from '../lambdas/shared/object-keys';
import type { ArchiveConfig } from './config';
import { denyAll, denyAllBut, KEPT, KEPT_ALWAYS, roleArn } from './policies';

type StorageProps = Pick<ArchiveConfig, 'stage' | 'retention' | 'eventBridge' | 'adopt'> & { readonly key: IKey };

export class Storage extends Construct {
  readonly bucket: s3.IBucket;
  readonly accessLogs: s3.IBucket;
  readonly table: dynamodb.ITable;

  constructor(scope: Construct, id: string, props: StorageProps) {
    super(scope, id);
    const { adopt } = props;
    this.accessLogs = adopt ? adoptedBucket(this, 'AccessLogs', adopt.accessLogs) : createAccessLogs(this);
    this.bucket = adopt ? adoptedBucket(this, 'Bucket', adopt.bucket) : createBucket(this, props, this.accessLogs);
    this.table = adopt ? dynamodb.Table.fromTableName(this, 'Checkpoints', adopt.table) : createTable(this);
  }
}

/** Not under lock, because S3 delivers access logs only into a bucket without a default retention. */
function createAccessLogs(scope: Construct): s3.IBucket {
  const bucket = new s3.Bucket(scope, 'AccessLogs', {
    ...hardened,
    encryption: s3.BucketEncryption.S3_MANAGED,
    lifecycleRules: [{ expiration: Duration.days(400), noncurrentVersionExpiration: Duration.days(90) }],
  });
  bucket.policy?.applyRemovalPolicy(KEPT);
  return bucket as s3.IBucket;
}

function createBucket(
  scope: Construct,
  { stage, retention, eventBridge, key }: StorageProps,
  serverAccessLogsBucket: s3.IBucket,
): s3.IBucket {
  const bucket = new s3.Bucket(scope, 'Bucket', {
    ...hardened,
    encryption: s3.BucketEncryption.KMS,
    encryptionKey: key,
    bucketKeyEnabled: true,
    objectLockDefaultRetention: defaultRetention(retention),
    lifecycleRules: lifecycleRules(retention.expireAfterDays),
    // A bucket under lock cannot receive its own access log.
    serverAccessLogsBucket,
  });
  // CDK's own `eventBridgeEnabled` would add a function that may change the notifications of every bucket.
  if (eventBridge && bucket.node.defaultChild instanceof s3.CfnBucket)
    bucket.node.defaultChild.notificationConfiguration = { eventBridgeConfiguration: { eventBridgeEnabled: true } };
  for (const statement of [createOnly(bucket.arnForObjects('*')), ...writers(bucket as s3.IBucket, stage)])
    bucket.addToResourcePolicy(statement);
  bucket.policy?.applyRemovalPolicy(KEPT);
  return bucket as s3.IBucket;
}

function createTable(scope: Construct): dynamodb.ITable {
  return new dynamodb.Table(scope, 'Checkpoints', {
    partitionKey: { name: 'team', type: dynamodb.AttributeType.STRING },
    billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
    pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
    deletionProtection: true,
    removalPolicy: KEPT_ALWAYS,
  }) as dynamodb.ITable;
}

/**
 * The ARN is given, because CDK would write the partition of the region into it, and the rule packs would call the bucket
 * something else wherever the region is known.
 */
function adoptedBucket(scope: Construct, id: string, bucketName: string): s3.IBucket {
  const bucketArn = `arn:${Aws.PARTITION}:s3:::${bucketName}`;
  return s3.Bucket.fromBucketAttributes(scope, id, { bucketName, bucketArn });
}

/**
 * Denies writing to everybody but the archiver, and anchors to everybody but the verifier. A planted object would stop the
 * archiver, which would take it for an attack. An anchor is worth something because the archiver cannot write it.
 */
function writers(bucket: s3.IBucket, stage: string): PolicyStatement[] {
  // Replication writes without the right to PutObject, so it is denied too.
  const actions = ['s3:PutObject', 's3:ReplicateObject', 's3:ReplicateDelete'];
  const anchors = bucket.arnForObjects(`${anchorPrefix('*')}*`);
  const ofArchiver = denyAllBut([roleArn(stage, 'archiver')], 'WriteOnlyAsArchiver', actions, []);
  ofArchiver.addNotResources(anchors);
  return [ofArchiver, denyAllBut([roleArn(stage, 'verifier')], 'WriteAnchorsOnlyAsVerifier', actions, [anchors])];
}

/**
 * Lock protects versions and not keys: without this statement, readers would see a new version in place of the locked
 * one. There is no exception, not even for break glass. Three requests of a multipart upload create no object and
 * cannot carry the header. The request that creates the object must carry it.
 */
function createOnly(objects: string): PolicyStatement {
  const conditions = { Null: { 's3:if-none-match': 'true' }, Bool: { 's3:ObjectCreationOperation': 'true' } };
  return denyAll('CreateOnly', ['s3:PutObject'], [objects], conditions);
}

const hardened = {
  versioned: true,
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: KEPT,
} satisfies s3.BucketProps;

function defaultRetention({ mode, days }: ArchiveConfig['retention']): s3.ObjectLockRetention {
  const period = Duration.days(days);
  return mode === 'COMPLIANCE' ? s3.ObjectLockRetention.compliance(period) : s3.ObjectLockRetention.governance(period);
}

/**
 * Lifecycle rules act for S3 itself and no policy denies them. They delete an object only after its lock has ended.
 * Manifests never expire: they hold no personal data, and a chain can be verified only from its first manifest.
 */
function lifecycleRules(expireAfterDays: number | null): s3.LifecycleRule[] {
  if (expireAfterDays === null) return [];
  return [areaPrefix('events', ''), areaPrefix('quarantine', ''), batchPrefix('')].map((prefix) => ({
    prefix: prefix.replace(/\/$/, ''),
    expiration: Duration.days(expireAfterDays),
    noncurrentVersionExpiration: Duration.days(1),
  }));
}
