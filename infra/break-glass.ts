/**
 * The one role that may delete. Every bucket and key policy of the archive names it as the only exception, so removing
 * anything is a deliberate act with a name in CloudTrail: somebody assumed this role.
 *
 * What it cannot do: delete a version under COMPLIANCE lock (nobody can), overwrite an object, or sign. What it does
 * not stop: an administrator who first rewrites a bucket or key policy. That is a change CloudTrail records and the
 * signed chain outlives; only COMPLIANCE lock survives it, and only while the encryption key does.
 */
import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { allow, denyAllBut } from './policies';

const OBJECT_REMOVAL = [
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:PutObjectRetention',
  's3:PutObjectLegalHold',
  's3:BypassGovernanceRetention',
];
const KEY_REMOVAL = ['kms:ScheduleKeyDeletion', 'kms:DisableKey'];

export class BreakGlass extends Construct {
  readonly role: iam.Role;
  private readonly policy: iam.Policy;

  constructor(scope: Construct, id: string) {
    super(scope, id);
    this.role = new iam.Role(this, 'Role', {
      // The account decides who may assume it. MFA is not asked for here: a session of IAM Identity Center has proved
      // it to the identity provider, and carries no sign of that.
      assumedBy: new iam.AccountRootPrincipal(),
      description: 'Break glass: the only principal that may delete objects or keys of the Postman audit archive',
      maxSessionDuration: Duration.hours(1),
    });
    this.policy = new iam.Policy(this, 'Policy', { roles: [this.role] });
    // Kept with what they guard: the policies of a bucket and keys that outlive the stack name this role.
    this.role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.policy.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }

  /** Lets the role, and by an explicit deny nobody else, remove what is in the bucket. */
  guardBucket(bucket: Bucket): void {
    const objects = bucket.arnForObjects('*');
    const denied = { actions: OBJECT_REMOVAL, resources: [objects] };
    bucket.addToResourcePolicy(denyAllBut(this.role, 'RemoveOnlyByBreakGlass', denied));
    this.policy.addStatements(
      allow('RemoveObjects', OBJECT_REMOVAL, [objects]),
      allow('RemoveBucket', ['s3:ListBucketVersions', 's3:DeleteBucket'], [bucket.bucketArn]),
    );
  }

  /** Lets the role, and by an explicit deny nobody else, disable the key or schedule its deletion. */
  guardKey(key: IKey): void {
    const denied = { actions: KEY_REMOVAL, resources: ['*'] };
    key.addToResourcePolicy(denyAllBut(this.role, 'RemoveOnlyByBreakGlass', denied));
    this.policy.addStatements(allow(`Remove${key.node.id}Key`, KEY_REMOVAL, [key.keyArn]));
  }
}
