/**
 * Explains each way in which a run can end, in a sentence for people. `docs/runbook.md` has a section for each code. The
 * compiler refuses a code without a sentence.
 */
import type { RunOutcome } from '../lambdas/shared/ports';

interface Meaning {
  readonly means: string;
  /** The task of a person; undefined where a later run mends the cause. */
  readonly mend?: string;
}

const deploy = 'run "npx cdk deploy --revert-drift"';
const security = 'call the security team, delete nothing, and follow docs/runbook.md';
const laterRun = 'a later run goes on from the same position';

export const OUTCOMES: Readonly<Record<RunOutcome, Meaning>> = {
  archived: { means: 'the last run archived all that was new' },
  race: { means: 'the last run left its work to another run, which committed first' },
  'not-configured': {
    means: 'when the last run ended, nobody had stored the API key of this team, so nothing was archived',
    mend: 'if the key is stored now, run the team; otherwise paste the command that was printed as PutApiKey and the name of the team',
  },
  unexpected: { means: 'the last run met an error that this version does not know', mend: 'read its line in the log' },
  'environment-invalid': { means: 'a variable of the function is missing or wrong', mend: deploy },
  'input-invalid': { means: 'the last run got a wrong input', mend: deploy },
  'teams-unreadable': { means: 'the settings beside the code are missing or damaged', mend: deploy },
  'team-unknown': { means: 'the team is not deployed', mend: 'add it to "teams" in cdk.json, and deploy' },
  'start-date-in-future': {
    means: '"startDate" of the team is in the future',
    mend: 'mend it in cdk.json, and deploy',
  },
  'api-key-unreadable': {
    means: 'the function cannot read the API key',
    mend: 'store the key again with the printed command PutApiKey, under the key of the archive',
  },
  'api-key-malformed': {
    means: 'the parameter holds no API key, but a blank, a line break or another text',
    mend: 'store the key again with the printed command PutApiKey',
  },
  'api-key-refused': {
    means:
      'Postman refuses the API key: it was revoked or has expired, its owner is no Admin, or the plan is not Enterprise',
    mend: 'make a new key as an Admin or Super Admin, store it with the printed command PutApiKey, and run the team again',
  },
  'storage-refused': {
    means: 'AWS refused a call to S3 or DynamoDB',
    mend: `${deploy}; read the line of the log, which names the call`,
  },
  'signing-refused': {
    means: 'AWS refused to sign',
    mend: 'see whether the signing key is enabled; an administrator enables it with "aws kms enable-key"',
  },
  'mail-refused': { means: 'the weekly mail was refused', mend: 'allow it in the policies of the topic and its key' },
  'source-unavailable': { means: `Postman did not answer; ${laterRun}` },
  'source-throttled': { means: `Postman asked to wait for longer than the run could; ${laterRun}` },
  'source-quota-exhausted': {
    means: "the API calls of the team's plan are used up for this month",
    mend: 'raise the quota in Postman, or wait for the next month if nothing is forgotten before',
  },
  'source-refused': {
    means: 'Postman answered something that this version does not expect',
    mend: 'check "baseUrl", then ask Postman',
  },
  'source-redirected': {
    means: 'Postman answered with a redirect',
    mend: 'check "baseUrl"; somebody may want the API key',
  },
  'source-contract-broken': {
    means: 'the answers of Postman have another form',
    mend: 'update audit-archive, and deploy',
  },
  'source-cursor-loop': { means: `Postman sent the same page again and again; ${laterRun}` },
  'source-page-too-large': { means: 'a page of Postman is too large', mend: 'ask Postman, with the time of the run' },
  'storage-unavailable': { means: `S3, DynamoDB, SSM or KMS did not answer; ${laterRun}` },
  'out-of-time': { means: `the time of the run ended before it came any further; ${laterRun}` },
  'checkpoint-ahead': { means: 'the checkpoint names a manifest that the chain does not have', mend: security },
  'checkpoint-garbage': { means: 'the checkpoint holds what no run writes', mend: security },
  'chain-broken': { means: 'a manifest is missing, changed or not signed', mend: security },
  'object-unlisted': { means: 'an object is there that no manifest lists', mend: security },
  'segment-differs': { means: 'a segment has other content than its manifest lists', mend: security },
  'segment-missing': { means: 'a segment that a manifest lists is gone', mend: security },
  'batch-unreadable': { means: 'staged bytes are gone or changed', mend: security },
  'team-mismatch': {
    means: 'the API key belongs to another Postman team than the archive',
    mend: 'store the key of the right team; only if the team was moved on purpose, set "acceptOtherTeamId"',
  },
};

export function meaningOf(outcome: string): Meaning {
  return OUTCOMES[known(outcome)];
}

/** The section of the runbook for a run that ended so. */
export function sectionOf(outcome: string): string {
  return `docs/runbook.md#${known(outcome)}`;
}

/** A later version may write other outcomes, and Lambda ends a run with names of its own, such as `Sandbox.Timedout`. */
function known(outcome: string): RunOutcome {
  return Object.hasOwn(OUTCOMES, outcome) ? (outcome as RunOutcome) : 'unexpected';
}
