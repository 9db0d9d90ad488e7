/**
 * The only role that may delete. The policies of the buckets and the keys deny it to everybody else, so that a removal
 * is a deliberate act with a name in CloudTrail: somebody assumed this role. Settings that could end the evidence are
 * changed by this role or by a deployment.
 *
 * The role cannot overwrite an object, sign, or delete a version under COMPLIANCE lock (nobody can). docs/security.md
 * says who can get around it, and what shows that.
 */

import { Aws, Duration, Fn, Stack } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct, type IConstruct } from 'constructs';
import type { KmsKeys } from './kms-keys';
import { roleName } from './names';
import { allow, denyAllBut, KEPT, roleArn } from './policies';
import type { Storage } from './storage';

const OBJECT_REMOVAL = [
  's3:DeleteObject',
  's3:DeleteObjectVersion',
  's3:PutObjectRetention',
  's3:PutObjectLegalHold',
  's3:BypassGovernanceRetention',
];
/** A lifecycle rule deletes whatever has no lock any more, and the other settings stop the lock or the record of readers. */
const BUCKET_SETTINGS = [
  's3:PutLifecycleConfiguration',
  's3:PutBucketObjectLockConfiguration',
  's3:PutBucketVersioning',
  's3:PutBucketLogging',
  's3:PutEncryptionConfiguration',
  's3:PutReplicationConfiguration',
  's3:PutBucketNotification',
];
const KEY_REMOVAL = ['kms:ScheduleKeyDeletion', 'kms:DisableKey'];

interface BreakGlassProps {
  readonly stage: string;
  readonly keys: KmsKeys;
  readonly storage: Storage;
}

export class BreakGlass extends Construct {
  private readonly policy: iam.Policy;
  private readonly arn: string;

  constructor(scope: Construct, id: string, { stage, keys, storage }: BreakGlassProps) {
    super(scope, id);
    this.arn = roleArn(stage, 'break-glass');
    const role = new iam.Role(this, 'Role', {
      roleName: roleName(stage, 'break-glass', Aws.REGION),
      // The account decides who may assume the role. It does not ask for MFA, because a session of IAM Identity Center
      // has proved it to the identity provider and does not carry that proof.
      assumedBy: new iam.AccountRootPrincipal(),
      description: 'Break glass: the only principal that may delete objects or keys of the Postman audit archive',
      maxSessionDuration: Duration.hours(1),
    });
    this.policy = new iam.Policy(this, 'Policy', { roles: [role] });
    for (const bucket of [storage.bucket, storage.accessLogs]) this.guardBucket(bucket);
    for (const key of [keys.encryption, keys.signing]) this.guardKey(key);
    // The bucket and the keys outlive the stack, and their policies name this role, so it must outlive the stack too.
    for (const each of [role, this.policy]) each.applyRemovalPolicy(KEPT);
    // If this name belongs to a kept archive, the deployment fails before it makes keys that nobody would remove.
    for (const each of [keys, storage]) each.node.addDependency(role);
  }

  /** Allows this role to remove objects of the bucket and to change its settings, and denies it to everybody else. */
  private guardBucket(bucket: IBucket): void {
    const [objects, id] = [bucket.arnForObjects('*'), bucket.node.id];
    const settings = [this.arn, ...deploymentRole(bucket)];
    bucket.addToResourcePolicy(denyAllBut([this.arn], 'RemoveOnlyByBreakGlass', OBJECT_REMOVAL, [objects]));
    bucket.addToResourcePolicy(denyAllBut(settings, 'ChangeOnlyByDeployment', BUCKET_SETTINGS, [bucket.bucketArn]));
    this.policy.addStatements(
      allow(`RemoveObjectsOf${id}`, OBJECT_REMOVAL, [objects]),
      allow(`Change${id}`, ['s3:ListBucketVersions', 's3:DeleteBucket', ...BUCKET_SETTINGS], [bucket.bucketArn]),
    );
  }

  /** Allows this role to disable the key or to schedule its deletion, and denies it to everybody else. */
  private guardKey(key: IKey): void {
    key.addToResourcePolicy(denyAllBut([this.arn], 'RemoveOnlyByBreakGlass', KEY_REMOVAL, ['*']));
    this.policy.addStatements(allow(`Remove${key.node.id}Key`, KEY_REMOVAL, [key.keyArn]));
  }
}

/** The ARN of the role with which CloudFormation deploys the stack. A deployment with the caller's own rights has none. */
function deploymentRole(scope: IConstruct): string[] {
  const arn = Stack.of(scope).synthesizer.cloudFormationExecutionRole;
  return arn === undefined ? [] : [arn.includes('${') ? Fn.sub(arn) : arn];
}
