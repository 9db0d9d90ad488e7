/** Who is told of an alarm, and what. When an alarm rings is shown by the drill, `test/alarms/drill.test.ts`. */
import { alarmIds } from '../../lambdas/shared/alarms';
import { deploy } from '../support/deployed';
import { only, synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const HERE = { account: '111122223333', region: 'eu-central-1' };
const topicArn = 'arn:aws:sns:eu-central-1:444455556666:pages';

function alarmsOf({ template }: Pick<ReturnType<typeof synthesise>, 'template'>) {
  const { filled } = deploy(template);
  const found = Object.values(template.findResources('AWS::CloudWatch::Alarm'));
  return found.map(({ Properties }) => filled(Properties) as Readonly<Record<string, string>>);
}

test('there is one alarm for each id, and one silent alarm for each team', () => {
  const archive = { stage: 'qa', teams: [{ name: 'main' }, { name: 'sales' }] };
  const names = alarmsOf(synthesise(archive)).map(({ AlarmName }) => AlarmName);
  const expected = alarmIds.flatMap((id) => (id === 'silent' ? ['silent/main', 'silent/sales'] : [id]));
  expect(names.sort()).toEqual(expected.map((id) => `postman-audit-archive-qa/${id}`).sort());
});

test('by default the alarms notify an encrypted topic, to which the address is subscribed', () => {
  const { template } = synthesise({ teams: [{ name: 'main' }], alarms: { email: 'security@example.com' } });
  const { id, properties } = only(template, 'AWS::SNS::Topic');
  expect(properties.KmsMasterKeyId).toEqual({ 'Fn::GetAtt': ['KeysEncryption703EF701', 'Arn'] });
  const { properties: subscription } = only(template, 'AWS::SNS::Subscription');
  expect(subscription).toEqual({ Protocol: 'email', Endpoint: 'security@example.com', TopicArn: { Ref: id } });
  for (const { Properties } of Object.values(template.findResources('AWS::CloudWatch::Alarm')))
    expect(Properties.AlarmActions).toEqual([{ Ref: id }]);
});

test('a topic of yours is notified instead of one of the archive, and synth says what its policies must allow', () => {
  const archive = { teams: [{ name: 'main' }], alarms: { topicArn } };
  const { template, messages } = synthesise(archive, HERE);
  expect(template.findResources('AWS::SNS::Topic')).toEqual({});
  for (const { AlarmActions } of alarmsOf({ template })) expect(AlarmActions).toEqual([topicArn]);
  const { Environment } = only(template, 'AWS::Lambda::Function', 'Verifier').properties;
  expect(Environment.Variables.ALARM_TOPIC).toBe(topicArn);
  expect(messages).toContainEqual(expect.stringMatching(/^info: alarms\.topicArn: .* must let cloudwatch/));
  expect(messages.filter((each) => each.includes('alarms') && !each.startsWith('info'))).toEqual([]);
});

test('synth refuses a topic of another region, which CloudWatch would never notify', () => {
  const { messages } = synthesise(
    { teams: [{ name: 'main' }], alarms: { topicArn } },
    { ...HERE, region: 'us-east-1' },
  );
  expect(messages).toContainEqual(expect.stringMatching(/^error: alarms\.topicArn: .* another region than us-east-1/));
});

test('an alarm says what to do within the 1,024 characters that CloudWatch keeps, also with the longest names', () => {
  const archive = { stage: 'sixteen-letters0', teams: [{ name: 'x'.repeat(32) }] };
  for (const { AlarmName, AlarmDescription = '' } of alarmsOf(synthesise(archive))) {
    const [, id = ''] = AlarmName?.split('/') ?? [];
    expect(AlarmDescription).toContain(`What to do: docs/runbook.md#${id}`);
    expect(AlarmDescription).not.toMatch(/[<>]|undefined/);
    // A name that CloudFormation makes has the stack before the logical id, and thirteen characters after it.
    const names = AlarmDescription.match(/(?:Archiver|Verifier)Logs\w+|SchedulesUnhandled\w+/g) ?? [];
    const longer = names.length * ('postman-audit-archive-sixteen-letters0-'.length + 13);
    const regions = 3 * ('ap-southeast-99'.length - 'eu-central-1'.length);
    expect(AlarmDescription.length + longer + regions).toBeLessThanOrEqual(1024);
  }
});

test('the dashboard shows the runs of every team, the findings and the alarms, of this archive alone', () => {
  const { template } = synthesise(matrix['a hundred teams']);
  const { DashboardBody } = deploy(template).filled(only(template, 'AWS::CloudWatch::Dashboard').properties) as {
    readonly DashboardBody: string;
  };
  const { widgets } = JSON.parse(DashboardBody);
  expect(widgets).toHaveLength(4);
  const bottom = Math.max(...widgets.map(({ y, height }: { y: number; height: number }) => y + height));
  expect(bottom).toBeLessThanOrEqual(14);
  expect(DashboardBody).toContain(
    `{PostmanAuditArchive,bucket,team} MetricName=\\"RunsSucceeded\\" bucket=\\"storagebucket5cb7c8ea\\"`,
  );
  const [alarms] = widgets.flatMap(({ properties }: { properties: { alarms?: string[] } }) =>
    properties.alarms ? [properties.alarms] : [],
  );
  expect(alarms).toHaveLength(100);
});
