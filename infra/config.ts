/**
 * The one object that configures the archive: `context.archive` in `cdk.json`. Whatever is wrong with it stops synth,
 * and every problem is named at once: nobody learns of the second typo from the second failed deployment.
 */
import { z } from 'zod';
import { baseUrlProblem } from '../lambdas/shared/contract';
import { TEAM_PATTERN } from '../lambdas/shared/keys';
import { clashes } from './config-clashes';
import { apiKeyParameter } from './names';
import { scheduleProblem } from './schedule-expression';
import { nearest } from './spelling';

/** Postman serves 180 days: an event that expired sooner here would be fetched, and archived, a second time. */
const MIN_EXPIRE_DAYS = 200;

const teamName = z.string().regex(TEAM_PATTERN, 'must be 1 to 32 lower-case letters, digits and inner hyphens');
const schedule = z.string().check(refuse(scheduleProblem));
const baseUrl = z.string().check(refuse(deployedBaseUrlProblem));
const parameterName = z
  .string()
  .max(512)
  .regex(/^(\/[\w.-]+)+$/, 'must be the path of an SSM parameter, such as /postman-audit-archive/main/api-key')
  .regex(/^(?!\/(aws|ssm))/i, 'must not begin with /aws or /ssm: Systems Manager keeps these names');

const team = strict({
  name: teamName,
  apiKeyParameter: parameterName.optional(),
  baseUrl: baseUrl.default('https://api.getpostman.com'),
  schedule: schedule.default('rate(1 hour)'),
});

const retention = strict({
  mode: z.enum(['GOVERNANCE', 'COMPLIANCE']).default('GOVERNANCE'),
  days: z.int().min(1).max(36_500).default(400),
  expireAfterDays: z.int().min(MIN_EXPIRE_DAYS).max(36_500).nullable().default(null),
});

const archive = strict({
  stage: z
    .string()
    .regex(/^[a-z][a-z0-9-]{0,14}[a-z0-9]$/, 'must be 2 to 16 lower-case letters, digits and inner hyphens')
    .default('prod'),
  teams: z.array(team, 'must list the teams, such as [{ "name": "main" }]').min(1, 'must name at least one team'),
  formerTeams: z.array(teamName).default([]),
  lookbackHours: z.number().min(1).max(720).default(6),
  maxRequestsPerMinute: z.int().min(1).max(300, 'Postman allows 300 requests a minute').default(200),
  retention: retention.prefault({}),
  alarmEmail: z.email().nullable().default(null),
});

export interface TeamConfig {
  readonly name: string;
  readonly apiKeyParameter: string;
  readonly baseUrl: string;
  readonly schedule: string;
}

export type ArchiveConfig = Readonly<Omit<z.infer<typeof archive>, 'teams'>> & {
  readonly teams: readonly TeamConfig[];
};

/** The configuration cannot be deployed. `problems` holds all of them, each with its place. */
export class ConfigProblems extends Error {
  override readonly name = 'ConfigProblems';
  constructor(readonly problems: readonly string[]) {
    super(`context.archive in cdk.json cannot be deployed:\n${problems.map((problem) => `  - ${problem}`).join('\n')}`);
  }
}

/** Throws `ConfigProblems`. */
export function readConfig(context: unknown): ArchiveConfig {
  const parsed = archive.safeParse(context ?? {});
  const shape = parsed.success ? [] : parsed.error.issues.map((issue) => `${place(issue.path)}${issue.message}`);
  const problems = [...shape, ...clashes(context)];
  if (!parsed.success || problems.length > 0) throw new ConfigProblems(problems);
  const { stage } = parsed.data;
  return { ...parsed.data, teams: parsed.data.teams.map((each) => withParameter(each, stage)) };
}

function withParameter(each: z.infer<typeof team>, stage: string): TeamConfig {
  return { ...each, apiKeyParameter: each.apiKeyParameter ?? apiKeyParameter(stage, each.name) };
}

/** An object that refuses unknown keys, and says which known one was probably meant. */
function strict<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== 'unrecognized_keys') return undefined;
      return issue.keys.map((key) => `unknown key ${quote(key)}${suggestion(key, Object.keys(shape))}`).join('; ');
    },
  });
}

function suggestion(key: string, known: readonly string[]): string {
  const meant = nearest(key, known);
  return meant === undefined ? `; known are ${known.join(', ')}` : `; did you mean ${quote(meant)}?`;
}

function refuse(problemOf: (value: string) => string | undefined) {
  return z.superRefine((value: string, context) => {
    const message = problemOf(value);
    if (message !== undefined) context.addIssue({ code: 'custom', message: `${quote(value)} ${message}` });
  });
}

/** What a local run may reach over plain http is not within reach of a function. */
function deployedBaseUrlProblem(url: string): string | undefined {
  return baseUrlProblem(url) ?? (url.startsWith('https:') ? undefined : 'must be https');
}

function place(path: readonly PropertyKey[]): string {
  const text = path.map((part) => (typeof part === 'number' ? `[${part}]` : `.${String(part)}`)).join('');
  return text === '' ? '' : `${text.replace(/^\./, '')}: `;
}

function quote(value: unknown): string {
  return JSON.stringify(value);
}
