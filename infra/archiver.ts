/**
 * The function that archives, and the queue for what nobody handled. Its role can read the archive, create objects and
 * sign; it cannot delete, overwrite, or touch what is not this stage's.
 */
import { Aws, Duration, RemovalPolicy } from 'aws-cdk-lib';
import type { Table } from 'aws-cdk-lib/aws-dynamodb';
import * as iam from 'aws-cdk-lib/aws-iam';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import type { Bucket } from 'aws-cdk-lib/aws-s3';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { ARCHIVER_MEMORY_MB, archiverEnvironment } from '../lambdas/shared/contract';
import { encodeEnvironment } from '../lambdas/shared/env';
import { areaPrefix, batchPrefix, manifestPrefix } from '../lambdas/shared/keys';
import type { ArchiveConfig } from './config';
import type { KmsKeys } from './kms-keys';
import { archiveName, parameterPath, parametersElsewhere } from './names';
import { accountArn, allow } from './policies';

/** Every object of every team, as a pattern. */
const OBJECTS = [manifestPrefix('*'), batchPrefix('*'), areaPrefix('events', '*'), areaPrefix('quarantine', '*')].map(
  (prefix) => `${prefix}*`,
);

interface ArchiverProps {
  readonly config: ArchiveConfig;
  readonly code: lambda.Code;
  readonly bucket: Bucket;
  readonly table: Table;
  readonly keys: KmsKeys;
}

export class Archiver extends Construct {
  readonly function: lambda.Function;
  readonly role: iam.Role;
  /** Triggers that were never delivered, and runs that failed to the last retry. */
  readonly unhandled: sqs.Queue;
  private readonly logGroup: logs.LogGroup;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: ArchiverProps,
  ) {
    super(scope, id);
    this.unhandled = new sqs.Queue(this, 'Unhandled', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(14),
    });
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      encryptionKey: props.keys.encryption,
      retention: logs.RetentionDays.THIRTEEN_MONTHS,
      removalPolicy: RemovalPolicy.RETAIN,
    });
    this.role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: 'Creates and signs what is in the Postman audit archive; may not delete or overwrite',
    });
    this.function = this.archiveFunction();
    const policy = new iam.Policy(this, 'Policy', { roles: [this.role], statements: this.rights() });
    this.function.node.addDependency(policy);
  }

  private archiveFunction(): lambda.Function {
    return new lambda.Function(this, 'Function', {
      description: `Archives Postman audit logs (${archiveName(this.props.config.stage)})`,
      code: this.props.code,
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      // A run stays under 256 MB whatever the backlog; twice that buys CPU for gzip and room for a 16 MB event.
      memorySize: ARCHIVER_MEMORY_MB,
      // The longest Lambda allows: the first 180 days come in as few runs as possible. A run that nears it stops clean.
      timeout: Duration.minutes(15),
      role: this.role,
      logGroup: this.logGroup,
      environment: this.environment(),
      // Lambda retries a failed run after one minute and again after two. By the first a dead run's lease has ended or
      // is about to, by the second it has. What still fails waits for the next schedule; an older trigger is worthless
      // once that came.
      retryAttempts: 2,
      maxEventAge: Duration.hours(1),
      onFailure: { bind: () => ({ destination: this.unhandled.queueArn }) },
      // No reserved concurrency: overlapping runs are harmless, and a new account has none to reserve.
    });
  }

  private environment(): Record<string, string> {
    const { config, bucket, table, keys } = this.props;
    return encodeEnvironment(archiverEnvironment, {
      bucket: bucket.bucketName,
      table: table.tableName,
      signingKey: keys.signing.keyArn,
      lookbackHours: config.lookbackHours,
      maxRequestsPerMinute: config.maxRequestsPerMinute,
      retention: config.retention,
    });
  }

  private rights(): iam.PolicyStatement[] {
    const { bucket, table, keys } = this.props;
    const objects = OBJECTS.map((pattern) => bucket.arnForObjects(pattern));
    return [
      // Batches are never listed, but only who may list a prefix is told 404 for a missing object; without, 403.
      allow('ListOneTeam', ['s3:ListBucket'], [bucket.bucketArn], { StringLike: { 's3:prefix': OBJECTS } }),
      allow('ReadObjects', ['s3:GetObject'], objects),
      allow('CreateObjects', ['s3:PutObject'], objects, { Null: { 's3:if-none-match': 'false' } }),
      allow('EncryptObjects', ['kms:GenerateDataKey', 'kms:Decrypt'], [keys.encryption.keyArn], {
        StringEquals: { 'kms:ViaService': `s3.${Aws.REGION}.amazonaws.com` },
      }),
      allow('ReadPublicKey', ['kms:GetPublicKey'], [keys.signing.keyArn]),
      allow('SignManifests', ['kms:Sign'], [keys.signing.keyArn], {
        StringEquals: { 'kms:SigningAlgorithm': 'ECDSA_SHA_256' },
      }),
      ...this.apiKeyRights(),
      allow('MoveCheckpoint', ['dynamodb:UpdateItem'], [table.tableArn]),
      allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [this.logGroup.logGroupArn]),
      allow('ReportFailure', ['sqs:SendMessage'], [this.unhandled.queueArn]),
    ];
  }

  /** By the path of the stage, so that a hundred teams need no more policy than one; others by their name. */
  private apiKeyRights(): iam.PolicyStatement[] {
    const { config, keys } = this.props;
    const named = config.teams.map((team) => team.apiKeyParameter);
    const paths = [`${parameterPath(config.stage)}*`, ...parametersElsewhere(config.stage, named)];
    const parameters = paths.map((name) => accountArn('ssm', `parameter${name}`));
    return [
      allow('ReadApiKeys', ['ssm:GetParameter'], parameters),
      // Only for a parameter under the archive's own key, as the printed command creates it. aws/ssm needs no right:
      // it decrypts for everybody in the account, which is why the command does not use it.
      allow('DecryptApiKeys', ['kms:Decrypt'], [keys.encryption.keyArn], {
        StringEquals: { 'kms:ViaService': `ssm.${Aws.REGION}.amazonaws.com` },
        ArnLike: { 'kms:EncryptionContext:PARAMETER_ARN': parameters },
      }),
    ];
  }
}
