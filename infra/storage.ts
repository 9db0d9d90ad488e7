/**
 * What is kept: the bucket under lock, the log of who read it, and the checkpoint table. All of it survives the stack,
 * policies included, so that `cdk destroy` can neither delete evidence nor leave it unguarded.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as dynamodb from 'aws-cdk-lib/aws-dynamodb';
import type * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as s3 from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { areaPrefix, batchPrefix } from '../lambdas/shared/object-keys';
import type { BreakGlass } from './break-glass';
import type { ArchiveConfig } from './config';
import { denyAll, denyAllBut } from './policies';

/** What may expire. Manifests never do: they hold nothing personal, and a chain is only proved from its first link. */
const EXPIRING_PREFIXES = [areaPrefix('events', ''), areaPrefix('quarantine', ''), batchPrefix('')].map((prefix) =>
  prefix.replace(/\/$/, ''),
);

interface StorageProps {
  readonly retention: ArchiveConfig['retention'];
  readonly key: IKey;
  readonly breakGlass: BreakGlass;
}

export class Storage extends Construct {
  readonly bucket: s3.Bucket;
  /** Who read the archive. Not under lock: S3 delivers only into a bucket without a default retention. */
  readonly accessLogs: s3.Bucket;
  readonly table: dynamodb.Table;

  constructor(scope: Construct, id: string, props: StorageProps) {
    super(scope, id);
    this.accessLogs = new s3.Bucket(this, 'AccessLogs', {
      ...hardened,
      encryption: s3.BucketEncryption.S3_MANAGED,
      lifecycleRules: [{ expiration: Duration.days(400), noncurrentVersionExpiration: Duration.days(1) }],
    });
    this.bucket = new s3.Bucket(this, 'Bucket', {
      ...hardened,
      encryption: s3.BucketEncryption.KMS,
      encryptionKey: props.key,
      bucketKeyEnabled: true,
      objectLockDefaultRetention: defaultRetention(props.retention),
      lifecycleRules: lifecycleRules(props.retention.expireAfterDays),
      // A locked bucket cannot receive its own access log.
      serverAccessLogsBucket: this.accessLogs as s3.IBucket,
    });
    this.bucket.addToResourcePolicy(this.createOnly());
    props.breakGlass.guardBucket(this.bucket);
    for (const { policy } of [this.bucket, this.accessLogs]) policy?.applyRemovalPolicy(RemovalPolicy.RETAIN);

    this.table = new dynamodb.Table(this, 'Checkpoints', {
      partitionKey: { name: 'team', type: dynamodb.AttributeType.STRING },
      billingMode: dynamodb.BillingMode.PAY_PER_REQUEST,
      pointInTimeRecoverySpecification: { pointInTimeRecoveryEnabled: true },
      deletionProtection: true,
      removalPolicy: RemovalPolicy.RETAIN,
    });
  }

  /** An object that anybody else plants under a key of the archive would be taken for an attack, so nobody can. */
  writeOnlyAs(role: iam.IRole): void {
    // Replication writes without PutObject; nobody has that right, and nobody may give it to himself.
    const actions = ['s3:PutObject', 's3:ReplicateObject', 's3:ReplicateDelete'];
    this.bucket.addToResourcePolicy(denyAllBut(role, 'WriteOnlyAsArchiver', { actions, resources: this.objects() }));
  }

  /**
   * Lock protects versions, not keys: without this a new version could be laid over a locked one, and readers see the
   * top. No exception, not even for break glass. The three requests of a multipart upload that create no object cannot
   * carry the header; the one that does is held to it like any other.
   */
  private createOnly(): iam.PolicyStatement {
    return denyAll(
      'CreateOnly',
      { actions: ['s3:PutObject'], resources: this.objects() },
      {
        Null: { 's3:if-none-match': 'true' },
        Bool: { 's3:ObjectCreationOperation': 'true' },
      },
    );
  }

  private objects(): string[] {
    return [this.bucket.arnForObjects('*')];
  }
}

const hardened = {
  versioned: true,
  blockPublicAccess: s3.BlockPublicAccess.BLOCK_ALL,
  objectOwnership: s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
  enforceSSL: true,
  minimumTLSVersion: 1.2,
  removalPolicy: RemovalPolicy.RETAIN,
} satisfies s3.BucketProps;

function defaultRetention({ mode, days }: ArchiveConfig['retention']): s3.ObjectLockRetention {
  const period = Duration.days(days);
  return mode === 'COMPLIANCE' ? s3.ObjectLockRetention.compliance(period) : s3.ObjectLockRetention.governance(period);
}

/** Lifecycle acts for S3 itself, past every policy: it is what ends an archive object's life, and only after the lock. */
function lifecycleRules(expireAfterDays: number | null): s3.LifecycleRule[] {
  if (expireAfterDays === null) return [];
  return EXPIRING_PREFIXES.map((prefix) => ({
    prefix,
    expiration: Duration.days(expireAfterDays),
    noncurrentVersionExpiration: Duration.days(1),
  }));
}
