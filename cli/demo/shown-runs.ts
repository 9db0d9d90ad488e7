/** Runs the local archive and shows each run to a person. */

import type { RunSummary } from '../../lambdas/shared/contract';
import { figure } from '../../lambdas/shared/text';
import { DAY_MS } from '../../lambdas/shared/time';
import type { InvocationResult } from '../../local/lambda-process';
import { archivePaths, type LocalArchive, type LogLine, openLocalArchive } from './local-archive';
import { createProgress } from './progress';

const LEASE_WAIT_MS = 5000;

type ShownTeam = Omit<Parameters<typeof openLocalArchive>[0], 'folder' | 'onLog'>;

export async function openShownRuns(folder: string, print: (text: string) => void, team: ShownTeam) {
  let listen: (line: LogLine) => void = () => undefined;
  const archive = await openLocalArchive({ ...team, folder, onLog: (line) => listen(line) });
  print(
    `Handler: ${archivePaths(folder).handler}/index.js, ${figure(archive.code.bytes)} bytes, SHA-256 ${archive.code.sha256}`,
  );

  /** Returns false where the run has failed. */
  async function run(name: string): Promise<boolean> {
    const now = new Date();
    const from = new Date(team.startDate ?? now.getTime() - 180 * DAY_MS);
    const progress = name.startsWith('scheduled') ? undefined : createProgress({ from, to: now }, process.stderr);
    listen = (line) => progress?.see(line);
    const outcome = await runWhenFree(archive, print);
    progress?.end();
    print(`  ${name}: ${describe(outcome)}`);
    return outcome.ok;
  }

  return { run, close: archive.close };
}

/** A process that was killed leaves its lease behind, which ends by itself within a minute. */
async function runWhenFree(archive: LocalArchive, print: (text: string) => void): Promise<InvocationResult> {
  for (let told = false; ; told = true) {
    const outcome = await archive.run();
    if (!outcome.ok || (outcome.result as RunSummary).outcome !== 'held') return outcome;
    if (!told) print('  an earlier run was cut off; waiting for its lease to end, a minute at most');
    await new Promise((resolve) => setTimeout(resolve, LEASE_WAIT_MS));
  }
}

function describe(outcome: InvocationResult): string {
  if (!outcome.ok) {
    const { name, message } = outcome.error;
    const here = name === 'api-key-refused' ? '. Here, the parameter holds what POSTMAN_API_KEY is' : '';
    return `FAILED, ${name}: ${message}${here}`;
  }
  const { counts, seq, sweeps = [], recovered = 0, detail } = outcome.result as RunSummary;
  if (counts === undefined) return (outcome.result as RunSummary).outcome;
  const held = Object.values(counts.quarantined).reduce((sum, n) => sum + n, 0);
  return [
    `${figure(counts.events)} new (${counts.late} late), ${figure(counts.known)} known, ${held} to quarantine`,
    `${counts.pages} pages, manifest ${seq}`,
    ...sweeps.map(({ date }) => `swept ${date}`),
    ...(recovered > 0 ? [`${recovered} segments of a cut-off run published`] : []),
    ...(detail === undefined ? [] : [`NOTE: ${detail}`]),
  ].join('; ');
}
