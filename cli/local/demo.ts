/**
 * `npm start`: a realistic team's whole archive, made, continued, proven and asked, on this machine alone; or, with an
 * API key, a real team's. It ends by itself, and its exit code is good only if everything held.
 */
import { randomUUID } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { RunSummary } from '../../lambdas/shared/contract';
import { exitCodes } from '../exit';
import { runVerify } from '../verify';
import { createContractCheck } from './contract-check';
import { compareWithSource } from './equality';
import type { Outcome } from './host';
import { count, createProgress } from './progress';
import { answerQuestions } from './questions';
import { openTeamFolder, type TeamFolder } from './source-folder';
import { createSourceModel } from './source-model';
import { type SourceServer, startSourceServer } from './source-server';
import { sourceSettings } from './source-settings';
import { type LocalWorld, type LogLine, openWorld, paths } from './world';

const DAY_MS = 86_400_000;
const HOUR_MS = 3_600_000;
const SEED = 20;
const SCHEDULED_RUNS = 5;
const LEASE_WAIT_MS = 5000;

interface DemoOptions {
  readonly folder: string;
  readonly eventsPerDay: number;
  readonly print: (text: string) => void;
}

/** The demo team. The exit code. */
export async function runDemo({ folder, eventsPerDay, print }: DemoOptions): Promise<number> {
  const at = paths(folder);
  const isNew = !existsSync(at.bucket);
  const team = openTeamFolder(at.source, { seed: SEED, anchor: new Date(), eventsPerDay });
  const apiKey = `PMAK-${randomUUID()}`;
  const source = await startTeam(team, apiKey, at.served);
  const stage = await openStage(folder, print, {
    team: 'demo',
    apiKey,
    baseUrl: source.url,
    maxRequestsPerMinute: 100_000,
  });
  try {
    print(
      isNew ? `A team of ${count(team.table.size())} events over 180 days. First run:` : 'The same archive, continued:',
    );
    let archived = await stage.run(isNew ? 'backfill' : 'first run');
    for (let run = 1; run <= SCHEDULED_RUNS && archived; run += 1) {
      const now = Date.now();
      team.arrive(5 + 3 * run, { at: new Date(now), visibleFrom: new Date(now) });
      team.arrive(run, { at: new Date(now - (run + 1) * HOUR_MS), visibleFrom: new Date(now) });
      archived = await stage.run(`scheduled run ${run}`);
    }
    return await conclude(folder, { archived, print, compare: () => compare(at.bucket, source, print) });
  } finally {
    await stage.close();
    await source.close();
  }
}

interface RealOptions {
  readonly folder: string;
  readonly apiKey: string;
  readonly baseUrl: string;
  readonly startDate: string | undefined;
  readonly print: (text: string) => void;
}

/** A real team: one run, and its proof. Run it again to go on. The exit code. */
export async function archiveRealTeam({ folder, print, ...team }: RealOptions): Promise<number> {
  const stage = await openStage(folder, print, { team: 'main', maxRequestsPerMinute: 200, ...team });
  try {
    print(`Archiving the team of this key from ${team.baseUrl}, at most 200 requests a minute:`);
    return await conclude(folder, { archived: await stage.run('run'), print, compare: () => true });
  } finally {
    await stage.close();
  }
}

interface Ending {
  readonly archived: boolean;
  readonly print: (text: string) => void;
  compare(): boolean;
}

/** What there is, is proven even where a run failed. The exit code. */
async function conclude(folder: string, { archived, print, compare }: Ending): Promise<number> {
  const at = paths(folder);
  if (!archived && !existsSync(join(at.bucket, 'manifests'))) {
    print(`\nNothing has been archived yet. The handler's log: ${at.log}`);
    return exitCodes.failed;
  }
  // What is not proven may not even be readable, and then there is nothing to compare.
  const good = (await prove(folder, print)) && compare();
  if (good && archived) await ask(at.bucket, print);
  print(whereToLook(folder));
  if (!good) return exitCodes.findings;
  return archived ? exitCodes.good : exitCodes.failed;
}

type StageTeam = Omit<Parameters<typeof openWorld>[0], 'folder' | 'onLog'>;

/** The local world, and what a person sees of each run. */
async function openStage(folder: string, print: (text: string) => void, team: StageTeam) {
  let listen: (line: LogLine) => void = () => undefined;
  const world = await openWorld({ ...team, folder, onLog: (line) => listen(line) });
  print(`Handler: ${paths(folder).handler}/index.js, ${count(world.code.bytes)} bytes, SHA-256 ${world.code.sha256}`);

  /** True where the run archived what there was. */
  async function run(name: string): Promise<boolean> {
    const now = new Date();
    const from = new Date(team.startDate ?? now.getTime() - 180 * DAY_MS);
    const progress = name.startsWith('scheduled') ? undefined : createProgress({ from, to: now }, process.stderr);
    listen = (line) => progress?.see(line);
    const outcome = await runWhenFree(world, print);
    progress?.end();
    print(`  ${name}: ${describe(outcome)}`);
    return outcome.ok;
  }

  return { run, close: world.close };
}

/** A process that was killed leaves its lease; it ends by itself within a minute. */
async function runWhenFree(world: LocalWorld, print: (text: string) => void): Promise<Outcome> {
  for (let told = false; ; told = true) {
    const outcome = await world.run();
    if (!outcome.ok || (outcome.result as RunSummary).outcome !== 'held') return outcome;
    if (!told) print('  an earlier run was cut off; waiting for its lease to end, a minute at most');
    await new Promise((resolve) => setTimeout(resolve, LEASE_WAIT_MS));
  }
}

function describe(outcome: Outcome): string {
  if (!outcome.ok) {
    const { code, name, message } = outcome.error;
    const here = code === 'api-key-refused' ? '. Here, the parameter holds what POSTMAN_API_KEY is' : '';
    return `FAILED, ${code ?? name}: ${message}${here}`;
  }
  const { counts, seq, sweep, recovered = 0 } = outcome.result as RunSummary;
  if (counts === undefined) return (outcome.result as RunSummary).outcome;
  const held = Object.values(counts.quarantined).reduce((sum, n) => sum + n, 0);
  return [
    `${count(counts.events)} new (${counts.late} late), ${count(counts.known)} known, ${held} to quarantine`,
    `${counts.pages} pages, manifest ${seq}`,
    ...(sweep === undefined || sweep === null ? [] : [`swept ${sweep.date}`]),
    ...(recovered > 0 ? [`${recovered} segments of a cut-off run published`] : []),
  ].join('; ');
}

async function startTeam(team: TeamFolder, apiKey: string, served: string): Promise<SourceServer> {
  const model = createSourceModel(team.table, sourceSettings('reality', apiKey));
  const now = () => {
    const instant = new Date();
    team.playTo(instant);
    return instant;
  };
  return startSourceServer(model, { now, served, check: createContractCheck('reality') });
}

async function prove(folder: string, print: (text: string) => void): Promise<boolean> {
  const at = paths(folder);
  print('\nVerified offline, with the pinned public key:');
  const head = existsSync(at.heads) ? { head: at.heads } : {};
  const flags = { key: at.publicKey, saveHead: at.heads, ...head };
  const indented = (text: string) => print(text.replace(/^/gm, '  '));
  return (await runVerify(at.bucket, flags, { print: indented, now: new Date() })) === exitCodes.good;
}

function compare(bucket: string, source: SourceServer, print: (text: string) => void): boolean {
  const { served, archived, missing, extra } = compareWithSource(bucket, source.servedLines());
  const violations = source.violations();
  const equal = missing.length + extra.length + violations.length === 0;
  print('\nCompared with the source, line by line:');
  print(
    `  ${count(served)} distinct lines served, ${count(archived)} archived: ${equal ? 'the same, once each' : 'NOT EQUAL'}`,
  );
  if (missing.length > 0) print(`  ${count(missing.length)} served lines are not in the archive`);
  if (extra.length > 0) print(`  ${count(extra.length)} archived lines were not served, or stand more than once`);
  for (const violation of violations.slice(0, 5)) print(`  contract: ${violation}`);
  return equal;
}

async function ask(bucket: string, print: (text: string) => void): Promise<void> {
  print('\nAsked in SQL (DuckDB here, Athena in AWS):');
  await answerQuestions(bucket, print);
}

function whereToLook(folder: string): string {
  const at = paths(folder);
  return `
Look next:
  ${at.bucket}/events/      what SQL sees: zcat any of it
  ${at.bucket}/manifests/   the signed chain: jq -r .payload FILE | base64 -d | jq
  ${at.log.padEnd(at.bucket.length + 11)}   every line the handler logged
  npx audit-archive verify ${at.bucket} --key ${at.publicKey}
Run it again to go on with this archive; delete ${folder} to begin anew.`;
}
