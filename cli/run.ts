/**
 * `audit-archive run` starts the deployed archiver for one team, follows the run to its end, and says what it did. It invokes the
 * function once: a second invocation after a lost answer would only be held, and its answer would hide the first one's.
 */
import { type Command, InvalidArgumentError } from 'commander';
import { archiverEnvironment, type RunSummary } from '../lambdas/shared/contract';
import { tryParse } from '../lambdas/shared/json';
import { manifestPrefix, TEAM_PATTERN } from '../lambdas/shared/object-keys';
import { asciiOnly, plural } from '../lambdas/shared/text';
import type { ArchiveReader } from '../lambdas/verifier/inventory';
import { exitCodes } from './exit';
import { meaningOf, sectionOf } from './outcomes';
import { payloadOf } from './sql-copy';
import { findArchiver, type StatusWorld } from './status';

const PROGRESS_MS = 5_000;

interface RunFlags {
  /** May be left out where only one team is deployed. */
  readonly team?: string;
  readonly stage: string;
  readonly json?: boolean;
}

/** The summary that the function returned; or the code and the message of the error with which the run failed. */
export type Invoked = { readonly summary: RunSummary } | { readonly code: string; readonly failure: string };

interface RunWorld extends Omit<StatusWorld, 'loadInfra'> {
  /** Waits for the end of the run. Throws where the function could not be invoked, or where its answer was lost. */
  invoke(functionArn: string, input: object): Promise<Invoked>;
}

export function addRun(program: Command, world: Pick<RunWorld, 'openBucket' | 'openAccount' | 'invoke'>): void {
  program
    .command('run')
    .description('start the deployed archiver for one team now, and follow it to its end')
    .option('--team <name>', 'the team; not needed where only one is deployed', parseTeam)
    .option('--stage <name>', 'the stage of the deployment', 'prod')
    .option('--json', 'print one JSON document')
    .addHelpText(
      'after',
      '\nThe exit code is 1 if the run failed or archived nothing for lack of a key, and 3 if it could not be started.',
    )
    .action(async (flags: RunFlags) => {
      process.exitCode = await runTeam(flags, { ...world, print: console.log, note: console.error, now: new Date() });
    });
}

function parseTeam(text: string): string {
  if (!TEAM_PATTERN.test(text))
    throw new InvalidArgumentError('A team has lower-case letters, digits and inner hyphens.');
  return text;
}

/** Returns the exit code. */
export async function runTeam({ stage, json, ...flags }: RunFlags, world: RunWorld): Promise<number> {
  const account = await world.openAccount();
  const archiver = await findArchiver(account, stage);
  const teams = flags.team === undefined ? await account.schedulesOf(archiver.arn) : [flags.team];
  const [team, ...others] = teams;
  if (team === undefined || others.length > 0) {
    world.note(`error: give --team, with one of the teams that are deployed: ${teams.join(', ') || 'none'}`);
    return exitCodes.usage;
  }
  const reader = await world.openBucket(archiver.environment[archiverEnvironment.bucket.name] ?? '');
  world.note(`Starting the run of ${team}, which may take up to 15 minutes.`);
  const stop = await follow(reader, team, world.note);
  const invoked = await world.invoke(archiver.arn, { team, scheduledTime: world.now.toISOString() }).finally(stop);
  if (json) world.print(JSON.stringify(invoked, null, 2));
  else for (const line of describeRun(invoked)) world.print(asciiOnly(line));
  const isGood = 'summary' in invoked && invoked.summary.outcome !== 'not-configured';
  return isGood ? exitCodes.good : exitCodes.findings;
}

/** Tells the position of each new manifest, until it is stopped. The progress is a courtesy: an error ends it, and not the run. */
async function follow(reader: ArchiveReader, team: string, note: RunWorld['note']): Promise<() => void> {
  let last = await newestKey(reader, team, '').catch(() => undefined);
  const timer = setInterval(async () => {
    const key = await newestKey(reader, team, last).catch(() => undefined);
    if (key === undefined || key === last) return;
    last = key;
    const bytes = await reader.get(key).catch(() => undefined);
    const { position } = Object(tryParse(String(payloadOf(bytes ?? ''))));
    if (typeof position === 'string') note(`  archived up to ${asciiOnly(position)}`);
  }, PROGRESS_MS);
  return () => clearInterval(timer);
}

async function newestKey(reader: ArchiveReader, team: string, after: string | undefined): Promise<string | undefined> {
  return (await reader.list(manifestPrefix(team), after)).at(-1) ?? after;
}

export function* describeRun(invoked: Invoked): Generator<string> {
  if ('failure' in invoked) {
    const { code, failure } = invoked;
    const { means, mend } = meaningOf(code);
    yield `The run failed with ${code}: ${failure}`;
    yield mend === undefined ? `Nobody must act yet: ${means}.` : `Mend: ${mend}.`;
    yield `More is in ${sectionOf(code)}. What the run had committed before stays archived, and the next run goes on from there.`;
    return;
  }
  const { outcome, seq, position, counts, gaps = 0, detail, durationMs } = invoked.summary;
  if (outcome === 'held')
    yield 'Another run of this team is at work, so this one ended at once. Nobody must act: wait for it.';
  else if (outcome === 'race')
    yield 'Another run committed first, so this one ended. Nobody must act: nothing is lost or double.';
  else if (outcome === 'not-configured') yield `Nothing was archived: ${detail ?? meaningOf(outcome).means}`;
  else {
    const { events = 0, late = 0, requests = 0 } = counts ?? {};
    yield `Archived ${plural(events, 'new event')}, ${late} of them late, up to ${position}, in ${plural(requests, 'request')} and ${Math.round(durationMs / 1000)} s. Newest manifest: ${seq}.`;
    if (gaps > 0)
      yield `${plural(gaps, 'gap')}: time that Postman had forgotten. "audit-archive status" names it; somebody must decide what that means.`;
    if (detail !== undefined) yield detail;
  }
}
