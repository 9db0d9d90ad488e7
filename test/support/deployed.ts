/**
 * A template as if it were deployed: every resource has a name and an ARN made from its logical id, and every reference
 * is filled in. An unknown intrinsic function throws.
 */

import type { Template } from 'aws-cdk-lib/assertions';
import type { Policy, Statement } from './policy';

export const ACCOUNT = '111122223333';
export const REGION = 'eu-central-1';

interface Resource {
  readonly Type: string;
  readonly Properties?: Readonly<Record<string, unknown>>;
}

export function deploy(template: Template) {
  const { Resources } = template.toJSON() as { readonly Resources: Readonly<Record<string, Resource>> };
  const arnOf = (id: string): string => {
    const { Type, Properties } = Resources[id] ?? {};
    const name = Type === 'AWS::IAM::Role' ? Properties?.RoleName : undefined;
    return arn(String(filled(name) ?? id), Type);
  };
  // The value of `Ref`. The name of a bucket has no capitals.
  const nameOf = (id: string): string => {
    const type = Resources[id]?.Type;
    if (type === 'AWS::SNS::Topic') return arnOf(id);
    return type === 'AWS::S3::Bucket' ? id.toLowerCase() : id;
  };
  /** A part of the template with its references filled in. */
  const filled = (value: unknown) => fill(value, { arnOf, nameOf });
  const policies = Object.entries(Resources).flatMap(([id, { Type, Properties = {} }]) =>
    policiesIn(id, Type, { properties: filled(Properties) as Properties, arnOf }),
  );
  return { policies, arnOf, filled };
}

const ARNS: Readonly<Record<string, (id: string) => string>> = {
  'AWS::S3::Bucket': (id) => `arn:aws:s3:::${id.toLowerCase()}`,
  'AWS::IAM::Role': (id) => `arn:aws:iam::${ACCOUNT}:role/${id}`,
  'AWS::KMS::Key': (id) => `arn:aws:kms:${REGION}:${ACCOUNT}:key/${id}`,
  'AWS::CloudWatch::Alarm': (id) => `arn:aws:cloudwatch:${REGION}:${ACCOUNT}:alarm:${id}`,
  'AWS::SNS::Topic': (id) => `arn:aws:sns:${REGION}:${ACCOUNT}:${id}`,
  'AWS::SQS::Queue': (id) => `arn:aws:sqs:${REGION}:${ACCOUNT}:${id}`,
  'AWS::DynamoDB::Table': (id) => `arn:aws:dynamodb:${REGION}:${ACCOUNT}:table/${id}`,
  'AWS::Lambda::Function': (id) => `arn:aws:lambda:${REGION}:${ACCOUNT}:function:${id}`,
  'AWS::Logs::LogGroup': (id) => `arn:aws:logs:${REGION}:${ACCOUNT}:log-group:${id}:*`,
  'AWS::Scheduler::ScheduleGroup': (id) => `arn:aws:scheduler:${REGION}:${ACCOUNT}:schedule-group/${id}`,
};

function arn(id: string, type: string | undefined): string {
  const make = ARNS[type ?? ''];
  if (make === undefined) throw new Error(`no ARN is known for ${id}, ${type}`);
  return make(id);
}

const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws',
  'AWS::Region': REGION,
  'AWS::AccountId': ACCOUNT,
  'AWS::URLSuffix': 'amazonaws.com',
};

interface Names {
  arnOf(id: string): string;
  nameOf(id: string): string;
}

function fill(value: unknown, names: Names): unknown {
  if (Array.isArray(value)) return value.map((each) => fill(each, names));
  if (typeof value !== 'object' || value === null) return value;
  const [name = '', argument] = Object.entries(value)[0] ?? [];
  if (name === 'Ref') return PSEUDO_PARAMETERS[argument] ?? names.nameOf(argument);
  if (name === 'Fn::Join') return (fill(argument[1], names) as string[]).join(argument[0]);
  if (name === 'Fn::GetAtt' && argument[1] === 'Arn') return names.arnOf(argument[0]);
  if (name === 'Fn::GetAtt' && argument[1].endsWith('Name')) return names.nameOf(argument[0]);
  if (name === 'Fn::Sub')
    return argument.replace(/\$\{([^}]+)\}/g, (_: string, id: string) => fill({ Ref: id }, names));
  if (name.startsWith('Fn::')) throw new Error(`cannot fill in ${JSON.stringify(value)}`);
  return Object.fromEntries(Object.entries(value).map(([key, each]) => [key, fill(each, names)]));
}

interface Document {
  readonly Statement: readonly Statement[];
}

/** The properties of the resource types that carry a policy; each resource has only those of its type. */
interface Properties {
  readonly Roles: readonly string[];
  readonly Queues: readonly string[];
  readonly Topics: readonly string[];
  readonly Bucket: string;
  readonly PolicyDocument: Document;
  readonly AssumeRolePolicyDocument: Document;
  readonly KeyPolicy: Document;
  readonly Policies?: unknown;
  readonly ManagedPolicyArns?: unknown;
}

interface Filled {
  readonly properties: Properties;
  arnOf(id: string): string;
}

function policiesIn(source: string, type: string, { properties, arnOf }: Filled): Policy[] {
  const { PolicyDocument } = properties;
  const policy = (of: Policy['of'], { Statement }: Document = PolicyDocument) => ({
    source,
    of,
    statements: Statement,
  });
  switch (type) {
    case 'AWS::IAM::Policy':
      return properties.Roles.map((id) => policy({ role: arnOf(id) }));
    case 'AWS::IAM::Role':
      if (properties.Policies ?? properties.ManagedPolicyArns) throw new Error('cannot evaluate policies in a role');
      return [policy({ resource: arnOf(source) }, properties.AssumeRolePolicyDocument)];
    case 'AWS::S3::BucketPolicy':
      return [policy({ resource: `arn:aws:s3:::${properties.Bucket}` })];
    case 'AWS::KMS::Key':
      return [policy({ resource: arnOf(source) }, properties.KeyPolicy)];
    case 'AWS::SQS::QueuePolicy':
      return properties.Queues.map((id) => policy({ resource: arnOf(id) }));
    case 'AWS::SNS::TopicPolicy':
      return properties.Topics.map((topic) => policy({ resource: topic }));
    case 'AWS::Lambda::Permission':
    case 'AWS::IAM::ManagedPolicy':
      throw new Error(`cannot evaluate ${type}`);
    default:
      return [];
  }
}
