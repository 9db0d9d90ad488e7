/**
 * One schedule per team, which sends the input of the archiver, and a daily one for the verifier. A trigger that cannot be handed
 * over goes to a queue.
 */

import { Duration, RemovalPolicy } from 'aws-cdk-lib';
import * as iam from 'aws-cdk-lib/aws-iam';
import type { IFunction } from 'aws-cdk-lib/aws-lambda';
import * as scheduler from 'aws-cdk-lib/aws-scheduler';
import * as sqs from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import type { ArchiveInput, VerifierInput } from '../lambdas/shared/contract';
import type { Archiver } from './archiver';
import type { TeamConfig } from './config';
import { allow, FOR_THIS_ACCOUNT } from './policies';
import { spreadMinutes } from './schedule-expression';
import type { Verifier } from './verifier';

const DUE = scheduler.ContextAttribute.scheduledTime;

interface SchedulesProps {
  readonly teams: readonly TeamConfig[];
  readonly archiver: Archiver;
  readonly verifier: Verifier;
}

export class Schedules extends Construct {
  /** The triggers that the Scheduler could not hand over. */
  readonly unhandled: sqs.Queue;

  constructor(scope: Construct, id: string, { teams, archiver, verifier }: SchedulesProps) {
    super(scope, id);
    this.unhandled = new sqs.Queue(this, 'Unhandled', {
      encryption: sqs.QueueEncryption.SQS_MANAGED,
      enforceSSL: true,
      retentionPeriod: Duration.days(4),
    });
    const group = new scheduler.ScheduleGroup(this, 'Group', { removalPolicy: RemovalPolicy.DESTROY });
    const role = new iam.Role(this, 'Role', {
      assumedBy: new iam.ServicePrincipal('scheduler.amazonaws.com', {
        conditions: { StringEquals: { ...FOR_THIS_ACCOUNT, 'aws:SourceArn': group.scheduleGroupArn } },
      }),
    });
    const functions = [archiver.function.functionArn, verifier.function.functionArn];
    const statements = [
      allow('StartRun', ['lambda:InvokeFunction'], functions),
      allow('ReportFailure', ['sqs:SendMessage'], [this.unhandled.queueArn]),
    ];
    const policy = new iam.Policy(this, 'Policy', { roles: [role], statements });
    /** CDK's `LambdaInvoke` is not used, because it would also allow every version and alias of the function. */
    const target = (to: IFunction, input: object) => ({
      bind: () => ({
        arn: to.functionArn,
        role,
        input: scheduler.ScheduleTargetInput.fromObject(input),
        deadLetterConfig: { arn: this.unhandled.queueArn },
        // These are retries of the asynchronous invocation only. Lambda itself retries a failed run (see archiver.ts).
        retryPolicy: { maximumRetryAttempts: 10, maximumEventAgeInSeconds: 3600 },
      }),
    });
    const ofTeams = teams.map(
      (team) =>
        new scheduler.Schedule(this, `Team-${team.name}`, {
          scheduleGroup: group,
          scheduleName: team.name,
          description: `Archives the audit log of the Postman team ${team.name}`,
          schedule: scheduler.ScheduleExpression.expression(team.schedule),
          timeWindow: timeWindow(team.schedule),
          target: target(archiver.function, { team: team.name, scheduledTime: DUE } satisfies ArchiveInput),
        }),
    );
    const daily = new scheduler.Schedule(this, 'Daily', {
      scheduleGroup: group,
      // No team has such a name.
      scheduleName: '_verifier',
      description: 'Verifies the archive',
      schedule: scheduler.ScheduleExpression.rate(Duration.days(1)),
      timeWindow: scheduler.TimeWindow.flexible(Duration.minutes(15)),
      target: target(verifier.function, { scheduledTime: DUE } satisfies VerifierInput),
    });
    for (const each of [...ofTeams, daily]) each.node.addDependency(policy);
  }
}

function timeWindow(schedule: string): scheduler.TimeWindow {
  const minutes = spreadMinutes(schedule);
  return minutes === 0 ? scheduler.TimeWindow.off() : scheduler.TimeWindow.flexible(Duration.minutes(minutes));
}
