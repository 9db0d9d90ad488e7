/**
 * The alarms, and the topic that they notify. An alarm has one of two forms, so that the drill in `test/alarms` can evaluate it
 * exactly as CloudWatch does: nothing was emitted in any of so many hours, or something was emitted in one of thirty hours.
 */

import { Aws, Duration } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { IKey } from 'aws-cdk-lib/aws-kms';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import * as sns from 'aws-cdk-lib/aws-sns';
import * as subscriptions from 'aws-cdk-lib/aws-sns-subscriptions';
import type { IQueue } from 'aws-cdk-lib/aws-sqs';
import { Construct } from 'constructs';
import { type AlarmId, archiveMetrics, dimensions, METRIC_NAMESPACE, teamMetrics } from '../lambdas/shared/alarms';
import { alarmTexts, dashboardUrl, insightsUrl } from './alarm-texts';
import type { ArchiveConfig, TeamConfig } from './config';
import { accountArn, allowService, FOR_THIS_ACCOUNT } from './policies';
import { silentHours } from './schedule-expression';

const PERIOD = Duration.hours(1);
/** CloudWatch looks back one week at most. What is silent for longer is noticed by the verifier, in the newest manifest. */
const MAX_PERIODS = 168;
/** Two days, and the time that the daily verification may begin later and may take. */
const VERIFIED_PERIODS = 50;
/** More than a day, so that what goes wrong once a day rings once and not every day. */
const SPARSE_PERIODS = 30;

interface AlarmsProps {
  readonly name: string;
  readonly config: ArchiveConfig;
  readonly key: IKey;
  readonly bucket: IBucket;
  readonly unhandled: IQueue;
  readonly logs: Readonly<Record<'archiver' | 'verifier', ILogGroup>>;
}

export class Alarms extends Construct {
  /** The alarms of the whole archive come first. */
  readonly all: cloudwatch.Alarm[] = [];
  readonly topicArn: string;

  constructor(
    scope: Construct,
    id: string,
    private readonly props: AlarmsProps,
  ) {
    super(scope, id);
    const { config, unhandled } = props;
    this.topicArn = config.alarms.topicArn ?? this.createTopic(config.alarms.email).topicArn;
    for (const each of ['gap', 'integrity', 'drift'] as const)
      this.add(each, emitted(this.metric(archiveMetrics[each])));
    this.add('unverified', silent(this.metric(archiveMetrics.verified), VERIFIED_PERIODS));
    this.add('unhandled', emitted(unhandled.metricApproximateNumberOfMessagesVisible(MAXIMUM)));
    for (const team of config.teams) {
      const hours = silentHours(team.schedule, new Date());
      const form =
        hours <= MAX_PERIODS
          ? silent(this.metric(teamMetrics.succeeded, team), hours)
          : emitted(this.metric(teamMetrics.manifestAge, team), hours);
      this.add('silent', form, { team, hours });
    }
  }

  private metric(metricName: string, team?: TeamConfig): cloudwatch.Metric {
    const dimensionsMap = {
      [dimensions.bucket]: this.props.bucket.bucketName,
      ...(team && { [dimensions.team]: team.name }),
    };
    return new cloudwatch.Metric({ namespace: METRIC_NAMESPACE, metricName, dimensionsMap, ...MAXIMUM });
  }

  private add(
    id: AlarmId,
    form: cloudwatch.AlarmProps,
    { team, hours }: { team?: TeamConfig; hours?: number } = {},
  ): void {
    const alarm = new cloudwatch.Alarm(this, team === undefined ? id : `${id}-${team.name}`, {
      ...form,
      // A slash separates the parts, because neither a stage nor a team holds one.
      alarmName: [this.props.name, id, ...(team === undefined ? [] : [team.name])].join('/'),
      alarmDescription: this.describe(id, { '<team>': team?.name, '<hours>': hours }),
    });
    alarm.addAlarmAction({ bind: () => ({ alarmActionArn: this.topicArn }) });
    this.all.push(alarm);
  }

  /** CloudWatch allows 1,024 characters. */
  private describe(id: AlarmId, values: Readonly<Record<string, string | number | undefined>>): string {
    const { text, logs, query } = alarmTexts[id];
    const known = { ...values, '<queue>': this.props.unhandled.queueName };
    const fill = (template: string) => template.replace(/<\w+>/g, (name) => String(known[name as keyof typeof known]));
    const groups = logs.map((log) => this.props.logs[log].logGroupName);
    return [
      fill(text),
      '',
      ...(groups.length > 0 ? [`Log: ${insightsUrl(fill(query), groups)}`] : []),
      `Dashboard: ${dashboardUrl(this.props.name, Aws.REGION)}`,
      `What to do: docs/runbook.md#${id}`,
    ].join('\n');
  }

  /** Encrypted with the key of the archive, whose policy lets CloudWatch use it. */
  private createTopic(email: string | null): sns.Topic {
    const { name, key } = this.props;
    const topic = new sns.Topic(this, 'Topic', { displayName: name, masterKey: key, enforceSSL: true });
    topic.addToResourcePolicy(
      allowService('cloudwatch.amazonaws.com', 'NotifyOfAlarms', ['sns:Publish'], {
        resource: topic.topicArn,
        conditions: {
          StringEquals: FOR_THIS_ACCOUNT,
          ArnLike: { 'aws:SourceArn': accountArn('cloudwatch', `alarm:${name}/*`) },
        },
      }),
    );
    if (email !== null) topic.addSubscription(new subscriptions.EmailSubscription(email));
    return topic;
  }
}

const MAXIMUM = { statistic: 'Maximum', period: PERIOD };

/** Rings as soon as a value above the threshold is emitted, and stops when none was for thirty hours. */
function emitted(metric: cloudwatch.IMetric, threshold = 0): cloudwatch.AlarmProps {
  return {
    metric,
    threshold,
    comparisonOperator: cloudwatch.ComparisonOperator.GREATER_THAN_THRESHOLD,
    evaluationPeriods: SPARSE_PERIODS,
    datapointsToAlarm: 1,
    treatMissingData: cloudwatch.TreatMissingData.NOT_BREACHING,
  };
}

/** Rings when nothing was emitted for so many hours, and stops with the next datapoint. */
function silent(metric: cloudwatch.IMetric, hours: number): cloudwatch.AlarmProps {
  return {
    metric: new cloudwatch.MathExpression({ expression: 'FILL(m, 0)', usingMetrics: { m: metric }, period: PERIOD }),
    threshold: 1,
    comparisonOperator: cloudwatch.ComparisonOperator.LESS_THAN_THRESHOLD,
    evaluationPeriods: hours,
    datapointsToAlarm: hours,
    // `FILL` does not need this. It says how the alarm is meant where CloudWatch has nothing to fill, because the metric is new.
    treatMissingData: cloudwatch.TreatMissingData.BREACHING,
  };
}
