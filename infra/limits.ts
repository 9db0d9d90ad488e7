/**
 * Limits that AWS would report only in the middle of a deployment: synth refuses, with the number. (CDK itself counts
 * resources and outputs.) What a reference will be is not known yet, so each counts as long as it can get.
 */
import { readFileSync } from 'node:fs';
import type { IPolicyValidationContext, IPolicyValidationPlugin, PolicyValidationPluginReport } from 'aws-cdk-lib';

const MAX_ENVIRONMENT_BYTES = 4096;
/** Of a role's inline policies, white space not counted. */
const MAX_POLICY_CHARACTERS = 10_240;

/** The ARN of a key, queue or function in the longest region. */
const REFERENCE = 'x'.repeat(160);
const PSEUDO_PARAMETERS: Readonly<Record<string, string>> = {
  'AWS::Partition': 'aws-us-gov',
  'AWS::Region': 'ap-southeast-99',
  'AWS::AccountId': '111122223333',
};

type Fields = Readonly<Record<string, unknown>>;

export interface Template {
  readonly Resources: Readonly<Record<string, { readonly Type: string; readonly Properties?: Fields }>>;
}

export interface Measured {
  readonly what: string;
  readonly size: number;
  readonly limit: number;
  readonly fix: string;
}

export class CloudFormationLimits implements IPolicyValidationPlugin {
  readonly name = 'CloudFormation limits';

  validate(context: IPolicyValidationContext): PolicyValidationPluginReport {
    const violations = context.stackTemplates.flatMap(({ templatePath, stackConstructPath }) =>
      measure(JSON.parse(readFileSync(templatePath, 'utf8')))
        .filter(({ size, limit }) => size > limit)
        .map(({ what, size, limit, fix }) => ({
          ruleName: 'limit-exceeded',
          severity: 'error',
          description: `${size} ${what}; AWS allows ${limit}`,
          fix,
          violatingResources: [{ constructPath: stackConstructPath, locations: [] }],
        })),
    );
    return { success: violations.length === 0, violations };
  }
}

/** Each role of the stack has one inline policy, which a test holds. */
export function measure(template: Template): Measured[] {
  const environments = ofType(template, 'AWS::Lambda::Function').map(([id, { Environment }]) => ({
    what: `bytes of environment in ${id}`,
    size: Buffer.byteLength(longest((Environment as Fields | undefined)?.Variables ?? {})),
    limit: MAX_ENVIRONMENT_BYTES,
    fix: 'Shorten the configuration that all teams share.',
  }));
  const policies = ofType(template, 'AWS::IAM::Policy').map(([id, { PolicyDocument }]) => ({
    what: `characters of inline policy in ${id}`,
    size: longest(PolicyDocument).length,
    limit: MAX_POLICY_CHARACTERS,
    fix: 'Leave apiKeyParameter out of the teams: one entry then covers all of them.',
  }));
  return [...environments, ...policies];
}

function ofType(template: Template, type: string): [string, Fields][] {
  return Object.entries(template.Resources).flatMap(([id, resource]) =>
    resource.Type === type ? [[id, resource.Properties ?? {}]] : [],
  );
}

function longest(value: unknown): string {
  return JSON.stringify(filled(value));
}

function filled(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(filled);
  if (typeof value !== 'object' || value === null) return value;
  const fields = Object.entries(value);
  const [name, argument] = fields[0] ?? [];
  if (name === 'Ref') return PSEUDO_PARAMETERS[argument] ?? REFERENCE;
  if (name === 'Fn::Join') return (argument[1] as unknown[]).map(filled).join(argument[0]);
  if (name?.startsWith('Fn::')) return REFERENCE;
  return Object.fromEntries(fields.map(([key, each]) => [key, filled(each)]));
}
