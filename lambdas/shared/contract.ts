/**
 * The contract between the deployed parts: the handler's input, the settings of each team, the environment of each function,
 * and what they return. CDK, the handlers, the local world and the tests all read it from here.
 */
import * as z from 'zod/mini';
import { jsonVariable, textVariable } from './env';
import { ConfigError } from './errors';
import { tryParse } from './json';
import type { Counts, Sweep } from './manifest';
import { TEAM_PATTERN } from './object-keys';
import { retentionSchema } from './retention';
import { parseDateOrInstant } from './time';

/** The environment of the archiver is the same for all teams. */
export const archiverEnvironment = {
  bucket: textVariable('ARCHIVE_BUCKET'),
  table: textVariable('CHECKPOINT_TABLE'),
  /** The ARN of a KMS key, or `file:` and the path of a PEM private key. */
  signingKey: textVariable('SIGNING_KEY'),
  /** Alias of the KMS key that encrypts the API keys. A person needs it in order to store one. */
  encryptionKey: textVariable('ENCRYPTION_KEY'),
  lookbackHours: jsonVariable('LOOKBACK_HOURS', 'a number from 0 to 720', z.number().check(z.gte(0), z.lte(720))),
  maxRequestsPerMinute: jsonVariable(
    'MAX_REQUESTS_PER_MINUTE',
    'a number from 1 to 100000',
    z.number().check(z.gte(1), z.lte(100_000)),
  ),
  retention: jsonVariable('RETENTION', 'null or {"mode","days","expireAfterDays"}', z.nullable(retentionSchema)),
};

/** The environment of the verifier, which finds the teams in the bucket. */
export const verifierEnvironment = {
  bucket: textVariable('ARCHIVE_BUCKET'),
  /** The ARN of the KMS key that signs, or `file:` and the path of a PEM public key. */
  signingKey: textVariable('SIGNING_KEY'),
};

/** Only the weekly mail needs it, and a verification does not fail without it. */
export const mailEnvironment = {
  topic: textVariable('ALARM_TOPIC'),
};

/** The memory of the archiver, deployed and locally. A run needs less than half of it, whatever the backlog. */
export const ARCHIVER_MEMORY_MB = 512;

/** ISO 8601, and as `Date` writes it once it is read. */
const instant = text('must be an ISO 8601 instant', (value) => parseDateOrInstant(value) !== undefined).check(
  z.overwrite((value) => parseDateOrInstant(value)?.toISOString() ?? value),
);

const archiveInput = z.strictObject({
  team: text(`must match ${TEAM_PATTERN.source}`, (value) => TEAM_PATTERN.test(value)),
  /** EventBridge Scheduler fills it in; manifests record it. */
  scheduledTime: instant,
});

/** The handler's input. One schedule per team sends it. A person may send it by hand. */
export type ArchiveInput = Readonly<z.infer<typeof archiveInput>>;

/** The input of the verifier. The daily schedule states when it was due; whoever starts a verification by hand may leave it out. */
export interface VerifierInput {
  readonly scheduledTime?: string;
}

/** The form of a Postman team's id. */
export const SOURCE_TEAM_PATTERN = /^[\w-]{1,64}$/;

/**
 * The settings of a team. The input cannot change them: whoever may invoke the function could otherwise have the API key sent
 * to a host of his own, forge evidence, or leave out the beginning of the archive.
 */
export const teamFields = {
  /** Name of the SSM SecureString parameter that holds the team's API key. */
  apiKeyParameter: text('must name an SSM parameter', (value) => value !== ''),
  /** `https://api.getpostman.com` unless the team's data is elsewhere. Plain http is allowed to loopback only. */
  baseUrl: z
    .string('must be an absolute URL')
    .check(z.refine((value) => baseUrlProblem(value) === undefined, { error: ({ input }) => baseUrlProblem(input) })),
  /** Only the first run reads it: archive from this instant instead of from all that the source keeps. */
  startDate: z.nullable(instant),
  /** Deliberate override: the API key may belong to this Postman team although the chain has never met it. */
  acceptOtherTeamId: z.nullable(
    text('must be the id of a Postman team, as a text', (value) => SOURCE_TEAM_PATTERN.test(value)),
  ),
};

const teamSettings = z.object(teamFields);

export type TeamSettings = Readonly<z.infer<typeof teamSettings>>;

/** The file beside the code that holds the settings of all teams, by their names. */
export const TEAMS_FILE = 'teams.json';

/** The text of `teams.json`. */
export function writeTeams(teams: readonly (TeamSettings & { readonly name: string })[]): string {
  return JSON.stringify(Object.fromEntries(teams.map((team) => [team.name, teamSettings.parse(team)])));
}

/** The settings of one team in the text of `teams.json`. Throws `ConfigError`. */
export function readTeam(text: string, team: string): TeamSettings {
  const teams = tryParse(text);
  // A team may have the name of a property that every object inherits, such as "constructor".
  if (typeof teams === 'object' && teams !== null && !Object.hasOwn(teams, team)) {
    throw new ConfigError(
      'team-unknown',
      `the team "${team}" is not deployed here, so no API key was read and nothing was sent; deployed are ${Object.keys(teams).join(', ')}. Correct the name, or add the team to "teams" in cdk.json and deploy`,
    );
  }
  const { data } = teamSettings.safeParse((teams as Record<string, unknown> | undefined)?.[team]);
  if (data !== undefined) return data;
  throw new ConfigError(
    'teams-unreadable',
    `${TEAMS_FILE} beside the code is missing or damaged: deploy the stack again`,
  );
}

/** The command that stores an API key. It asks for the key, which so gets into neither the shell's history nor `ps`. */
export function storeApiKey(
  parameter: string,
  place: { readonly region: string; readonly encryptionKey: string },
): string {
  return (
    `(read -rs API_KEY && printf %s "$API_KEY" | aws ssm put-parameter --region ${place.region} --name ${parameter}` +
    ` --type SecureString --key-id ${place.encryptionKey} --overwrite --value file:///dev/stdin)`
  );
}

/** A text for which one sentence says what is expected, whether its type or its value is wrong. */
function text(expected: string, holds: (value: string) => boolean) {
  return z.string(expected).check(z.refine(holds, expected));
}

/** The handler returns this summary, and logs it as the one line of the run. Its sums are over the run's manifests. */
export interface RunSummary {
  readonly outcome: 'archived' | 'not-configured' | 'held' | 'race' | 'failed';
  readonly team: string;
  readonly runId: string;
  readonly manifests: number;
  /** Sequence number of the newest manifest; absent where the run committed none, as are the next four fields. */
  readonly seq?: number;
  readonly position?: string;
  readonly counts?: Counts;
  readonly gaps?: number;
  readonly sweeps?: readonly Sweep[];
  /** Number of segments that an earlier run had committed but not published. */
  readonly recovered?: number;
  readonly throttled: number;
  readonly durationMs: number;
  readonly code?: string;
  /** The reason, in a sentence. Not called `message`, because that field of a log line holds its own text. */
  readonly detail?: string;
}

/** The verifier returns this summary, and logs it. */
export interface VerifierSummary {
  readonly outcome: 'good' | 'findings';
  readonly teams: readonly VerifiedTeam[];
}

export interface VerifiedTeam {
  readonly team: string;
  /** `behind`: what was read is good, and the time ended before everything that was due was read. */
  readonly outcome: 'good' | 'behind' | 'findings' | 'failed';
  /** Number of the newest manifest that was verified. */
  readonly seq?: number;
  /** In how many days the whole chain is read again: 30, or more where the time does not suffice. Absent without an anchor. */
  readonly roundDays?: number;
  readonly findings?: number;
  readonly detail?: string;
}

/** Throws one `ConfigError` that names every bad field. An unknown field is refused, because it may be a typo. */
export function readArchiveInput(input: unknown): ArchiveInput {
  const { success, data, error } = archiveInput.safeParse(input);
  if (success) return data;
  throw new ConfigError('input-invalid', `input: ${error.issues.map(inputProblem).join('; ')}`);
}

function inputProblem(issue: z.core.$ZodIssue): string {
  if (issue.code === 'unrecognized_keys')
    return `unknown field ${issue.keys.map((name) => JSON.stringify(name)).join(', ')}`;
  if (issue.path.length === 0) return 'must be an object {"team","scheduledTime"}';
  return `${issue.path.join('.')} ${issue.message}`;
}

/** The reason why the API key must not be sent to this address, or undefined. Any host may be reached by https. */
export function baseUrlProblem(value: unknown): string | undefined {
  if (typeof value !== 'string' || !URL.canParse(value)) return 'must be an absolute URL';
  const url = new URL(value);
  // The parsed URL has no trace of an empty query or fragment, and yet it would swallow a path that is appended.
  if (url.username !== '' || url.password !== '' || /[?#]/.test(url.href)) {
    return 'must not hold credentials, a query or a fragment';
  }
  if (url.protocol === 'https:') return undefined;
  const loopback = ['localhost', '[::1]'].includes(url.hostname) || /^127\.\d+\.\d+\.\d+$/.test(url.hostname);
  return url.protocol === 'http:' && loopback ? undefined : 'must be https (plain http only to loopback)';
}
