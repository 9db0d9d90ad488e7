/**
 * The one object that configures the archive: `context.archive` in `cdk.json`. A problem stops synth, and one error
 * names all problems, so that nobody learns of the second typo from the second failed deployment.
 */

import { z } from 'zod';
import { baseUrlProblem, teamFields } from '../lambdas/shared/contract';
import { TEAM_PATTERN } from '../lambdas/shared/object-keys';
import { expiresAfterTheLock, MIN_EXPIRE_DAYS, retentionFields } from '../lambdas/shared/retention';
import { brokenRules, ruled } from './config-rules';
import { apiKeyParameter } from './names';
import { didYouMean } from './nearest';
import { scheduleProblem } from './schedule-expression';

const MAX_DAYS = 36_500;
/** CloudFormation allows a stack 200 outputs. Each team has one, and the rest is for those of the stack itself. */
const MAX_TEAMS = 190;
const AUDITOR_PROBLEM = 'must be the ARN of a role, a user or an account (root)';

const teamName = z.string().regex(TEAM_PATTERN, 'must be 1 to 32 lower-case letters, digits and inner hyphens');
const parameterName = z
  .string()
  .max(512)
  .regex(/^(\/[\w.-]+)+$/, 'must be the path of an SSM parameter, such as /postman-audit-archive/main/api-key')
  .regex(/^(?!\/(aws|ssm))/i, 'must not begin with /aws or /ssm, because Systems Manager reserves these names');

const team = strict({
  name: teamName,
  apiKeyParameter: parameterName.optional(),
  baseUrl: z.string().check(refuse(deployedBaseUrlProblem)).default('https://api.getpostman.com'),
  schedule: z.string().check(refuse(scheduleProblem)).default('rate(1 hour)'),
  startDate: z._default(teamFields.startDate.check(z.refine(isNotInFuture, 'must not be in the future')), null),
  acceptOtherTeamId: z._default(teamFields.acceptOtherTeamId, null),
});

const days = retentionFields.days.check(z.lte(MAX_DAYS));
const expireAfterDays = z.nullable(days.check(z.gte(MIN_EXPIRE_DAYS)));

const retention = strict({
  mode: z._default(retentionFields.mode, 'GOVERNANCE'),
  days: z._default(days, 400),
  expireAfterDays: z._default(expireAfterDays, null),
}).refine(expiresAfterTheLock, {
  path: ['expireAfterDays'],
  message: 'must not be less than "days": what is under lock cannot expire',
  when: ({ value }) => z.looseObject({ days, expireAfterDays }).safeParse(value).success,
});

/** AWS's limit for the trust policy of a role, in characters, and what each ARN takes besides itself. */
const TRUST = { characters: 2048, ofStatement: 80 };

const auditors = z
  .array(z.string().regex(/^arn:[\w-]+:iam::\d{12}:(root|(role|user)\/[\w+=,.@/-]+)$/, AUDITOR_PROBLEM))
  .refine(
    (arns) => arns.join('').length + (arns.length + 1) * TRUST.ofStatement <= TRUST.characters,
    'are more than a trust policy can hold; name a role that they share',
  );

const bucketName = z.string().regex(/^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/, 'must be the name of a bucket');
const keyArn = z.string().regex(/^arn:[\w-]+:kms:[\w-]+:\d{12}:key\/[\w-]+$/, 'must be the ARN of a KMS key');

const adopt = strict({
  bucket: bucketName,
  accessLogs: bucketName,
  table: z.string().regex(/^[\w.-]{3,255}$/, 'must be the name of a DynamoDB table'),
  encryptionKeyArn: keyArn,
  signingKeyArn: keyArn,
})
  .refine((kept) => kept.bucket !== kept.accessLogs, 'bucket and accessLogs must be two buckets')
  .refine(
    (kept) => kept.encryptionKeyArn !== kept.signingKeyArn,
    'encryptionKeyArn and signingKeyArn must be two keys',
  );

const topicArn = z
  .string()
  .regex(/^arn:aws:sns:[a-z]+(-[a-z]+)+-\d:\d{12}:[\w-]{1,256}(\.fifo)?$/, 'must be the ARN of an SNS topic')
  .refine((arn) => !arn.endsWith('.fifo'), 'must be a standard topic, because an alarm cannot notify a FIFO topic');

const alarms = strict({
  email: z.email().nullable().default(null),
  topicArn: topicArn.nullable().default(null),
}).refine(
  ({ email, topicArn }) => email === null || topicArn === null,
  'name an email or a topicArn, not both: subscribe the address to your topic',
);

const archive = strict({
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,14}[a-z0-9]$/, 'must be 2 to 16 lower-case letters, digits and inner hyphens')
    .default('prod'),
  teams: z
    .array(team, 'must list the teams, such as [{ "name": "main" }]')
    .min(1, 'must name at least one team')
    .max(
      MAX_TEAMS,
      `are more than the ${MAX_TEAMS} for which a stack can print a command; deploy the others as another "stage"`,
    ),
  formerTeams: z.array(teamName).default([]),
  lookbackHours: z.number().min(1).max(720).default(6),
  maxRequestsPerMinute: z.int().min(1).max(300, 'Postman allows 300 requests a minute').default(200),
  retention: retention.prefault({}),
  alarms: alarms.prefault({}),
  eventBridge: z.boolean().default(false),
  adopt: adopt.nullable().default(null),
  auditors: auditors.default([]),
}).superRefine(
  (value, context) => {
    for (const { path, message } of brokenRules(value)) context.addIssue({ code: 'custom', path, message });
  },
  { when: ({ value }) => ruled.safeParse(value).success },
);

export type ArchiveConfig = ReturnType<typeof readConfig>;
export type TeamConfig = ArchiveConfig['teams'][number];

/** The configuration cannot be deployed. `problems` holds all reasons, each with its place. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems';
  constructor(readonly problems: readonly string[]) {
    super(`context.archive in cdk.json cannot be deployed:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Throws `ConfigProblems`. */
export function readConfig(context: unknown) {
  const { success, data, error } = archive.safeParse(context ?? {});
  if (!success) throw new ConfigProblems(error.issues.map(({ path, message }) => `${place(path)}${message}`));
  const { stage } = data;
  const teams = data.teams.map((each) => ({
    ...each,
    apiKeyParameter: each.apiKeyParameter ?? apiKeyParameter(stage, each.name),
  }));
  return { ...data, teams };
}

/** An object that refuses unknown keys, and names the known key that was probably meant. */
function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      return issue.keys
        .map(
          (key) => `unknown key ${JSON.stringify(key)}${didYouMean(key, known) || `; known are ${known.join(', ')}`}`,
        )
        .join('; ');
    },
  });
}

function refuse(problemOf: (value: string) => string | undefined) {
  return z.superRefine((value: string, context) => {
    const problem = problemOf(value);
    if (problem !== undefined) context.addIssue({ code: 'custom', message: `${JSON.stringify(value)} ${problem}` });
  });
}

function isNotInFuture(startDate: string | null): boolean {
  return startDate === null || !(Date.parse(startDate) > Date.now());
}

/** A local run may reach a server on loopback over plain http. A deployed function has no such server. */
function deployedBaseUrlProblem(url: string): string | undefined {
  return baseUrlProblem(url) ?? (url.startsWith('https:') ? undefined : 'must be https');
}

function place(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? '' : `${text.replace(/^\./, '')}: `;
}
