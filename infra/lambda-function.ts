/** A function of the archive with its role, its rights and its log, which are alike in the archiver and the verifier. */

import { Aws, Duration } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import * as lambda from 'aws-cdk-lib/aws-lambda';
import * as logs from 'aws-cdk-lib/aws-logs';
import { Construct } from 'constructs';
import { roleName } from './names';
import { allow, KEPT } from './policies';

interface ArchiveFunctionProps extends Omit<lambda.FunctionProps, 'role' | 'handler' | 'runtime'> {
  readonly stage: string;
  /** The policies of the kept bucket and keys name this role, so its name is fixed. */
  readonly role: 'archiver' | 'verifier';
  readonly roleDescription: string;
  readonly rights: readonly iam.PolicyStatement[];
  readonly logKey: IKey;
}

export class ArchiveFunction extends Construct {
  readonly function: lambda.Function;
  readonly logGroup: logs.LogGroup;
  protected readonly policy: iam.Policy;

  constructor(scope: Construct, id: string, props: ArchiveFunctionProps) {
    super(scope, id);
    const { stage, role: name, roleDescription, rights, logKey, ...rest } = props;
    this.logGroup = new logs.LogGroup(this, 'Logs', {
      encryptionKey: logKey,
      retention: logs.RetentionDays.THIRTEEN_MONTHS,
      removalPolicy: KEPT,
    });
    const role = new iam.Role(this, 'Role', {
      roleName: roleName(stage, name, Aws.REGION),
      assumedBy: new iam.ServicePrincipal('lambda.amazonaws.com'),
      description: roleDescription,
    });
    this.function = new lambda.Function(this, 'Function', {
      handler: 'index.handler',
      runtime: lambda.Runtime.NODEJS_24_X,
      architecture: lambda.Architecture.ARM_64,
      // The longest time that Lambda allows. Both functions stop by themselves before it, and go on the next time.
      timeout: Duration.minutes(15),
      role,
      logGroup: this.logGroup,
      ...rest,
    });
    const writeLog = allow('WriteLog', ['logs:CreateLogStream', 'logs:PutLogEvents'], [this.logGroup.logGroupArn]);
    this.policy = new iam.Policy(this, 'Policy', { roles: [role], statements: [...rights, writeLog] });
    this.function.node.addDependency(this.policy);
  }
}
