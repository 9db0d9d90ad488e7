/**
 * The CDK app: configuration in, one stack out, both rule packs and CloudFormation's own limits checked on the way. What
 * is wrong stops synth; what is a choice is said.
 */
import { Annotations, App, type AppProps, type Environment, Token, Validations } from 'aws-cdk-lib';
import type { Code } from 'aws-cdk-lib/aws-lambda';
import { AwsSolutionsChecks, NIST80053R5Checks } from 'cdk-nag';
import type { IConstruct } from 'constructs';
import { acknowledgements } from './acknowledgements';
import { ArchiveStack } from './archive-stack';
import { type ArchiveConfig, readConfig } from './config';
import { archiveName } from './names';

/** Here and not in `cdk.json`: the template is the same whoever synthesises it, the CLI, a test or `tsx`. */
const FEATURE_FLAGS = {
  '@aws-cdk/aws-s3:serverAccessLogsUseBucketPolicy': true,
  '@aws-cdk/core:validateAgainstDefaultRules': true,
};

interface ArchiveAppProps extends AppProps {
  readonly archiverCode: Code;
  /** Where it will be deployed. Unknown where synth runs without credentials. */
  readonly env?: Environment;
}

/** Throws `ConfigProblems`. */
export function archiveApp({ archiverCode, env = {}, ...props }: ArchiveAppProps): App {
  const app = new App({ analyticsReporting: false, ...props, context: { ...FEATURE_FLAGS, ...props.context } });
  const config = readConfig(app.node.tryGetContext('archive'));
  const stack = new ArchiveStack(app, archiveName(config.stage), {
    description: 'Keeps Postman audit logs under lock, searchable with SQL and provably complete',
    env,
    config,
    archiverCode,
  });
  notices(stack, config);
  for (const { path, ...rule } of acknowledgements(archiveName(config.stage))) {
    Validations.of(descendant(stack, path)).acknowledge(rule);
  }
  Validations.of(app).addPlugins(new AwsSolutionsChecks(app), new NIST80053R5Checks(app));
  return app;
}

function notices(stack: ArchiveStack, config: ArchiveConfig): void {
  const { mode, days, expireAfterDays } = config.retention;
  const say = Annotations.of(stack);
  say.addInfo(
    mode === 'COMPLIANCE'
      ? `COMPLIANCE lock: what is archived cannot be deleted for ${days} days by anybody, AWS included. The account can only be closed.`
      : `GOVERNANCE lock: the break-glass role can delete what is archived. Production wants "retention": { "mode": "COMPLIANCE" }, which nobody can undo.`,
  );
  if (expireAfterDays !== null) {
    say.addInfo(
      `expireAfterDays: from now on every manifest says that what it lists may be gone after ${expireAfterDays} days. S3 also deletes what was archived before, which promised nothing of the kind: verify will report it as missing.`,
    );
  }
  if (config.alarmEmail !== null) {
    say.addWarningV2('postman-audit-archive:no-alarms', 'alarmEmail is set, but this version raises no alarms yet');
  }
  const abroad = config.teams.filter((team) => isEuPostman(team.baseUrl) && !isEuRegion(stack.region));
  if (abroad.length > 0) {
    say.addWarningV2(
      'postman-audit-archive:eu-data-leaves-eu',
      `${abroad.map((team) => team.name).join(', ')}: Postman keeps this data in the EU, and ${stack.region} is not there`,
    );
  }
}

/** Throws where there is none: what was acknowledged has gone, and so should its entry. */
function descendant(scope: IConstruct, path: string): IConstruct {
  return path.split('/').reduce((parent, id) => parent.node.findChild(id), scope);
}

function isEuPostman(baseUrl: string): boolean {
  return new URL(baseUrl).hostname.endsWith('.eu.postman.com');
}

/** Also true where the region is not known yet: the deployment, which knows it, synthesises again. */
function isEuRegion(region: string): boolean {
  return Token.isUnresolved(region) || region.startsWith('eu');
}
