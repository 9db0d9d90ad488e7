/**
 * The only role that may delete. The policies of the bucket and the keys deny it to everybody else, so that a removal
 * is a deliberate act with a name in CloudTrail: somebody assumed this role.
 *
 * The role cannot overwrite an object, sign, or delete a version under COMPLIANCE lock (nobody can). It does not stop
 * an administrator who first rewrites those policies. CloudTrail records such a change, and the signed chain shows a
 * deletion; only a COMPLIANCE lock prevents the deletion, and only as long as the encryption key exists.
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
      // The account decides who may assume the role. It does not ask for MFA, because a session of IAM Identity Center
      // has proved it to the identity provider and does not carry that proof.
      assumedBy: new iam.AccountRootPrincipal(),
      description: 'Break glass: the only principal that may delete objects or keys of the Postman audit archive',
      maxSessionDuration: Duration.hours(1),
    });
    this.policy = new iam.Policy(this, 'Policy', { roles: [this.role] });
    // The bucket and the keys outlive the stack, and their policies name this role, so it must outlive the stack too.
    this.role.applyRemovalPolicy(RemovalPolicy.RETAIN);
    this.policy.applyRemovalPolicy(RemovalPolicy.RETAIN);
  }

  /** Allows this role to remove objects of the bucket, and denies it to everybody else. */
  guardBucket(bucket: Bucket): void {
    const objects = bucket.arnForObjects('*');
    bucket.addToResourcePolicy(denyAllBut(this.role, 'RemoveOnlyByBreakGlass', OBJECT_REMOVAL, [objects]));
    this.policy.addStatements(
      allow('RemoveObjects', OBJECT_REMOVAL, [objects]),
      allow('RemoveBucket', ['s3:ListBucketVersions', 's3:DeleteBucket'], [bucket.bucketArn]),
    );
  }

  /** Allows this role to disable the key or to schedule its deletion, and denies it to everybody else. */
  guardKey(key: IKey): void {
    key.addToResourcePolicy(denyAllBut(this.role, 'RemoveOnlyByBreakGlass', KEY_REMOVAL, ['*']));
    this.policy.addStatements(allow(`Remove${key.node.id}Key`, KEY_REMOVAL, [key.keyArn]));
  }
}
