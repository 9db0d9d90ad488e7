/**
 * The settings that a deployment of this version and this `cdk.json` has, as plain values: `audit-archive status` compares them
 * with the account. They come from the very template that would be deployed. Those of the bucket are read from a stack that
 * adopts nothing, because a stack that adopts a bucket does not manage it.
 */
import { rmSync } from 'node:fs';
import { App } from 'aws-cdk-lib';
import { Code } from 'aws-cdk-lib/aws-lambda';
import { dashboardUrl } from './alarm-texts';
import { ArchiveStack } from './archive-stack';
import { readConfig } from './config';
import { archiveName, keyAliases } from './names';
import { silentHours } from './schedule-expression';

/** Where the archive is deployed. CloudFormation chose the names. */
export interface Place {
  readonly partition: string;
  readonly region: string;
  readonly account: string;
  readonly bucket: string;
  readonly table: string;
  readonly signingKey: string;
  /** The topic of the alarms; empty where there is none. */
  readonly topic: string;
  readonly archiverArn: string;
  readonly verifierArn: string;
}

export type Expected = ReturnType<typeof expectedSettings>;

interface Resource {
  readonly Type: string;
  readonly Properties: Readonly<Record<string, unknown>>;
}

/** `context` is that of `cdk.json`. Throws `ConfigProblems`. */
export function expectedSettings(context: Readonly<Record<string, unknown>>, place: Place) {
  const config = readConfig(context.archive);
  const resources = synthesise(context, config);
  const all = (type: string) =>
    Object.entries(resources).flatMap(([id, { Type, Properties }]) =>
      Type === type ? [{ id, properties: Properties }] : [],
    );
  const only = (type: string, part: string) => {
    const found = all(type).find(({ id }) => id.startsWith(part));
    if (found === undefined) throw new Error(`the template has no ${type} ${part}`);
    return found;
  };
  const bucket = only('AWS::S3::Bucket', 'StorageBucket');
  const functions = {
    archiver: only('AWS::Lambda::Function', 'Archiver'),
    verifier: only('AWS::Lambda::Function', 'Verifier'),
  };
  const names: Readonly<Record<string, string>> = {
    'AWS::Partition': place.partition,
    'AWS::Region': place.region,
    'AWS::AccountId': place.account,
    [bucket.id]: place.bucket,
    [`${bucket.id}.Arn`]: `arn:${place.partition}:s3:::${place.bucket}`,
    [only('AWS::DynamoDB::Table', 'Storage').id]: place.table,
    [`${only('AWS::KMS::Key', 'KeysSigning').id}.Arn`]: place.signingKey,
    // With a topic of somebody else's, the template has none.
    ...Object.fromEntries(all('AWS::SNS::Topic').map(({ id }) => [id, place.topic])),
    [`${functions.archiver.id}.Arn`]: place.archiverArn,
    [`${functions.verifier.id}.Arn`]: place.verifierArn,
  };
  const filled = (value: unknown) => fill(value, names);
  const environment = ({ properties }: { readonly properties: Resource['Properties'] }) =>
    (filled(properties.Environment) as { readonly Variables: Readonly<Record<string, string>> }).Variables;
  return {
    name: archiveName(config.stage),
    teams: config.teams.map(({ name, apiKeyParameter, schedule }) => ({
      name,
      apiKeyParameter,
      silentHours: silentHours(schedule, new Date()),
    })),
    retention: config.retention,
    maxRequestsPerMinute: config.maxRequestsPerMinute,
    alarms: config.alarms,
    dashboard: dashboardUrl(archiveName(config.stage), place.region),
    bucketPolicy: filled(only('AWS::S3::BucketPolicy', 'StorageBucket').properties.PolicyDocument),
    lifecycle: expiries(bucket.properties),
    encryptionKey: keyAliases(archiveName(config.stage)).encryption,
    environments: { archiver: environment(functions.archiver), verifier: environment(functions.verifier) },
    schedules: all('AWS::Scheduler::Schedule')
      .map(({ properties }) => filled(properties) as ExpectedSchedule)
      .map(({ GroupName, Name, ScheduleExpression, Target }) => ({
        group: GroupName,
        name: Name,
        expression: ScheduleExpression,
        target: Target.Arn,
      })),
  };
}

interface ExpectedSchedule {
  readonly GroupName: string;
  readonly Name: string;
  readonly ScheduleExpression: string;
  readonly Target: { readonly Arn: string };
}

const UNCHECKED = { '@aws-cdk/core:validateAgainstDefaultRules': false };

/** Only the code is a stand-in. The checks of a template are left out, because they take most of the time and change nothing. */
function synthesise(context: Readonly<Record<string, unknown>>, config: ReturnType<typeof readConfig>) {
  const app = new App({ analyticsReporting: false, context: { ...context, ...UNCHECKED } });
  const code = Code.fromInline('exports.handler = async () => {};');
  new ArchiveStack(app, archiveName(config.stage), {
    config: { ...config, adopt: null },
    archiverCode: code,
    verifierCode: code,
  });
  const { directory, stacks } = app.synth();
  const [stack] = stacks;
  const resources: Readonly<Record<string, Resource>> = stack?.template.Resources ?? {};
  rmSync(directory, { recursive: true });
  return resources;
}

/** The days after which each prefix expires. */
function expiries({ LifecycleConfiguration }: Resource['Properties']): Readonly<Record<string, number>> {
  const { Rules = [] } = (LifecycleConfiguration ?? {}) as {
    readonly Rules?: readonly { readonly Prefix: string; readonly ExpirationInDays: number }[];
  };
  return Object.fromEntries(Rules.map(({ Prefix, ExpirationInDays }) => [Prefix, ExpirationInDays]));
}

/** Puts names in place of references, as CloudFormation does. A reference to anything else stays, in the notation of `Fn::Sub`. */
function fill(value: unknown, names: Readonly<Record<string, string>>): unknown {
  const named = (reference: string) => names[reference] ?? `\${${reference}}`;
  if (Array.isArray(value)) return value.map((each) => fill(each, names));
  if (typeof value !== 'object' || value === null) return value;
  const [entry, ...others] = Object.entries(value);
  if (entry !== undefined && others.length === 0) {
    const [key, of] = entry;
    if (key === 'Ref') return named(String(of));
    if (key === 'Fn::GetAtt') return named(of.join('.'));
    if (key === 'Fn::Join') return (fill(of[1], names) as readonly string[]).join(of[0]);
    if (key === 'Fn::Sub') return String(of).replace(/\$\{([\w:]+)\}/g, (_, name) => named(name));
  }
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each, names)]));
}
