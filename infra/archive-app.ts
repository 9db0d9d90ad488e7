/**
 * The CDK app reads the configuration, builds one stack, and checks it with two rule packs. A problem stops synth. A
 * choice that the operator should know about is printed.
 */

import { Annotations, App, type AppProps, type Environment, Token, Validations } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { RegionInfo } from 'aws-cdk-lib/region-info';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import cdkJson from '../cdk.json';
import { acknowledgements } from './acknowledgements';
import { ArchiveStack } from './archive-stack';
import { type ArchiveConfig, ConfigProblems, readConfig, type TeamConfig } from './config';
import { archiveName } from './names';

/**
 * Only the CLI reads `cdk.json`. With its feature flags a test and `tsx` synthesise the same template as the CLI. One of the
 * recommended flags is off: with `annotationsInValidationReport`, a warning would hide the other choices that are printed.
 */
const { archive: _, ...FEATURE_FLAGS } = cdkJson.context;

interface ArchiveAppProps extends AppProps {
  /** The code of the archiver, with the settings of these teams beside it. */
  readonly archiverCode: (teams: readonly TeamConfig[]) => Code;
  readonly verifierCode: () => Code;
  /** The account and region of the deployment, which are unknown if synth runs without credentials. */
  readonly env?: Environment;
}

/** Throws `ConfigProblems`. */
export function archiveApp({ archiverCode, verifierCode, env = {}, ...props }: ArchiveAppProps): App {
  const app = new App({ analyticsReporting: false, ...props, context: { ...FEATURE_FLAGS, ...props.context } });
  const config = readConfig(app.node.tryGetContext('archive'));
  refuseRegion(env.region);
  const name = archiveName(config.stage);
  const description = 'Keeps Postman audit logs under lock, searchable with SQL and provably complete';
  const code = { archiverCode: archiverCode(config.teams), verifierCode: verifierCode() };
  const stack = new ArchiveStack(app, name, { description, env, config, ...code });
  printChoices(stack, config);
  checkPlace(stack, config);
  for (const { path, ...rule } of acknowledgements(config)) Validations.of(descendant(stack, path)).acknowledge(rule);
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app));
  return app;
}

/** A region that is not known yet is not refused: the deployment knows it, and synthesises again. */
function refuseRegion(region = ''): void {
  const { partition = 'aws' } = RegionInfo.get(region);
  if (partition === 'aws') return;
  throw new ConfigProblems([
    `region ${region}: the archive keeps no results of queries and needs Athena's managed query results, which may be missing in the partition ${partition}; deploy it into a region of the partition aws`,
  ]);
}

/** Prints the consequences of the chosen settings that an operator must know. The settings of an adopted bucket cannot be read at synth. */
function printChoices(stack: ArchiveStack, { retention, alarms, adopt, eventBridge }: ArchiveConfig): void {
  const { mode, days, expireAfterDays: expiry } = retention;
  const choices: readonly (readonly [boolean, string])[] = [
    [
      adopt !== null && eventBridge,
      `eventBridge: this stack does not manage the kept bucket. If its notifications are off, break glass turns them on: aws s3api put-bucket-notification-configuration --bucket ${adopt?.bucket} --notification-configuration '{"EventBridgeConfiguration":{}}'`,
    ],
    [
      adopt !== null,
      `adopt: this stack does not manage the kept bucket. Its default lock must be ${mode} for ${days} days, and ${expiry === null ? 'nothing may expire' : `its lifecycle must be that of ${expiry} days`}, because every manifest will say so. Only break glass can change that (docs/retention.md#to-go-on-with-the-kept-archive-adopt-it).`,
    ],
    [
      adopt === null && mode === 'COMPLIANCE',
      `COMPLIANCE lock: an archived object cannot be deleted for ${days} days by anybody, AWS included. The only way would be to close the account.`,
    ],
    [
      adopt === null && mode === 'GOVERNANCE',
      'GOVERNANCE lock: the break-glass role can delete archived objects. For production set "retention": { "mode": "COMPLIANCE" }, which nobody can undo.',
    ],
    [
      expiry !== null,
      `expireAfterDays: from now on every manifest says that its objects may be gone after ${expiry} days. S3 also deletes older objects, whose manifests do not say so: verify will report them as missing.`,
    ],
    [
      alarms.email === null && alarms.topicArn === null,
      'alarms: nobody is told of an alarm; set "alarms": { "email": "security@example.com" }',
    ],
    [
      // CloudWatch does not say that it cannot notify a topic, so the operator would learn of it from an alarm that nobody got.
      alarms.topicArn !== null,
      'alarms.topicArn: the policies of this topic and of its KMS key must let cloudwatch.amazonaws.com publish, and the role of the verifier (docs/runbook.md#mail-refused). Try it (docs/settings.md#alarms).',
    ],
    [
      stack.synthesizer.cloudFormationExecutionRole === undefined,
      'The synthesizer names no execution role: after the first deployment only break glass can change settings of the buckets.',
    ],
  ];
  for (const [applies, text] of choices) if (applies) Annotations.of(stack).addInfo(text);
}

/** If the place is not known yet, nothing is said of it: the deployment knows it, and synthesises again. */
function checkPlace(stack: ArchiveStack, { alarms, teams, adopt }: ArchiveConfig): void {
  const annotations = Annotations.of(stack);
  // A table that was restored from a backup may have any name, so this is no error.
  if (adopt !== null && !adopt.table.startsWith(`${stack.stackName}-Storage`)) {
    const message = `adopt: the stage of this deployment, ${stack.stackName}, did not make the table ${adopt.table}. If it did not make the kept bucket either, every run will fail, because the kept policies name roles of the stage that made it: set "stage" to that one`;
    annotations.addWarningV2('postman-audit-archive:adopted-from-another-stage', message);
  }
  const place = `:${stack.region}:${stack.account}:`;
  const keys = adopt === null ? [] : [adopt.encryptionKeyArn, adopt.signingKeyArn];
  if (!Token.isUnresolved(place) && keys.some((arn) => !arn.includes(place)))
    annotations.addError(`adopt: a kept key is not in the account and region of this deployment, ${place}`);
  if (Token.isUnresolved(stack.region)) return;
  const [, , , topicRegion = stack.region] = alarms.topicArn?.split(':') ?? [];
  if (topicRegion !== stack.region)
    annotations.addError(`alarms.topicArn: an alarm cannot notify a topic of another region than ${stack.region}`);
  const european = teams.filter(({ baseUrl }) => new URL(baseUrl).hostname.endsWith('.eu.postman.com'));
  if (european.length > 0 && !stack.region.startsWith('eu')) {
    const names = european.map(({ name }) => name).join(', ');
    const message = `${names}: Postman keeps this data in the EU, and the region ${stack.region} is not in the EU`;
    annotations.addWarningV2('postman-audit-archive:eu-data-leaves-eu', message);
  }
}

/** Throws if there is no such construct: an entry whose construct is gone must be removed too. */
function descendant(scope: IConstruct, path: string): IConstruct {
  return path.split('/').reduce((parent, id) => parent.node.findChild(id), scope);
}
