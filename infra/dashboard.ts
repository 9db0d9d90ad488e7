/** One screen: is the archive fresh, complete, verified and quiet? */

import { Aws } from 'aws-cdk-lib';
import * as cloudwatch from 'aws-cdk-lib/aws-cloudwatch';
import type { ILogGroup } from 'aws-cdk-lib/aws-logs';
import type { IBucket } from 'aws-cdk-lib/aws-s3';
import { Construct } from 'constructs';
import { archiveMetrics, dimensions, METRIC_NAMESPACE, teamMetrics } from '../lambdas/shared/alarms';
import { dashboardName } from './names';

/** CloudWatch shows no more alarms in one widget. */
const MAX_ALARMS = 100;
const SIZE = { width: 12, height: 7 };

interface DashboardProps {
  readonly name: string;
  readonly bucket: IBucket;
  readonly archiverLog: ILogGroup;
  readonly alarms: readonly cloudwatch.IAlarm[];
}

export class Dashboard extends Construct {
  constructor(scope: Construct, id: string, { name, bucket, archiverLog, alarms }: DashboardProps) {
    super(scope, id);
    const metric = (metricName: string) =>
      new cloudwatch.Metric({
        namespace: METRIC_NAMESPACE,
        metricName,
        dimensionsMap: { [dimensions.bucket]: bucket.bucketName },
        statistic: 'Sum',
      });
    const fresh = new cloudwatch.GraphWidget({
      ...SIZE,
      title: 'Fresh: successful runs of each team',
      left: [successes(bucket)],
    });
    const complete = new cloudwatch.LogQueryWidget({
      ...SIZE,
      title: 'Complete: archived up to, and gaps in the time shown',
      view: cloudwatch.LogQueryVisualizationType.TABLE,
      logGroupNames: [archiverLog.logGroupName],
      queryLines: [
        'filter message = "run" and ispresent(position)',
        'stats latest(position) as archivedUpTo, sum(gaps) as gapCount by team',
      ],
    });
    const verified = new cloudwatch.GraphWidget({
      ...SIZE,
      title: 'Verified: verifications that were good for every team, and what was found',
      left: [archiveMetrics.verified, archiveMetrics.integrity, archiveMetrics.drift].map(metric),
    });
    const quiet = new cloudwatch.AlarmStatusWidget({
      ...SIZE,
      title: 'Quiet: the alarms',
      alarms: alarms.slice(0, MAX_ALARMS),
    });
    new cloudwatch.Dashboard(this, 'Dashboard', {
      dashboardName: dashboardName(name, Aws.REGION),
      widgets: [
        [fresh, complete],
        [verified, quiet],
      ],
    });
  }
}

/** One line for each team, whichever teams there are. */
function successes(bucket: IBucket): cloudwatch.SearchExpression {
  const schema = [METRIC_NAMESPACE, dimensions.bucket, dimensions.team].join(',');
  const terms = `MetricName="${teamMetrics.succeeded}" ${dimensions.bucket}="${bucket.bucketName}"`;
  const label = `\${PROP('Dim.${dimensions.team}')}`;
  return new cloudwatch.SearchExpression({ expression: `SEARCH('{${schema}} ${terms}', 'Sum', 3600)`, label });
}
