/** Runs an archive and shows each run to a person. */

import type { RunSummary } from '../../lambdas/shared/contract';
import type { InvocationResult } from '../../local/lambda-process';
import { explain, type RunRow, readRow, sumOf, tableHead, tableRow } from './run-table';
import { type Screen, say } from './screen';

const LEASE_WAIT_MS = 5000;

/** A person here has no SSM and no `cdk.json`, of which the archiver's own messages speak. */
const HERE: Readonly<Record<string, string>> = {
  'api-key-refused':
    'Postman refused the key in POSTMAN_API_KEY. The audit log needs an Enterprise plan and the key of an Admin or Super Admin; make one in Postman, put it into POSTMAN_API_KEY, and start again. A team in the EU also needs POSTMAN_BASE_URL=https://api.eu.postman.com',
  'api-key-malformed': 'POSTMAN_API_KEY holds no API key: copy the key from Postman without blanks and line breaks',
  'team-mismatch':
    'the key in POSTMAN_API_KEY belongs to another Postman team than this archive: use a key of its team, or another folder with --data',
};

export type RunOnce = () => Promise<InvocationResult>;

export function showRuns(screen: Screen, runOnce: RunOnce) {
  const rows: RunRow[] = [];

  /** Returns false where the run has failed. */
  async function run(): Promise<boolean> {
    const outcome = await runWhenFree(runOnce, screen);
    if (!outcome.ok) {
      const { name, message } = outcome.error;
      say(screen, `FAILED, ${name}: ${HERE[name] ?? message}`, '  ');
      return false;
    }
    const summary = outcome.result as RunSummary;
    const row = readRow(summary);
    if (row === undefined) say(screen, `Nothing was archived: ${summary.outcome}. ${summary.detail ?? ''}`, '  ');
    else show(row, summary);
    return true;
  }

  function show(row: RunRow, { recovered = 0, detail }: RunSummary): void {
    if (rows.length === 0) screen.print(tableHead());
    rows.push(row);
    screen.print(tableRow(String(rows.length), row));
    if (recovered > 0)
      say(screen, `This run first published ${recovered} segments of a run that was cut off.`, '       ');
    if (detail !== undefined) say(screen, `NOTE: ${detail}`, '       ');
  }

  /** The sum of the runs, and the meaning of the columns. */
  function end(): void {
    const sum = sumOf(rows);
    if (sum !== undefined) screen.print(tableRow('all', sum));
    const whole = sum ?? rows[0];
    if (whole === undefined) return;
    screen.print('');
    explain(screen, whole);
  }

  return { run, end };
}

/** A process that was killed leaves its lease behind, which ends by itself within a minute. */
async function runWhenFree(runOnce: RunOnce, screen: Screen): Promise<InvocationResult> {
  for (let told = false; ; told = true) {
    const outcome = await runOnce();
    if (!outcome.ok || (outcome.result as RunSummary).outcome !== 'held') return outcome;
    if (!told) say(screen, 'An earlier run was cut off; waiting for its lease to end, a minute at most.', '  ');
    await new Promise((resolve) => setTimeout(resolve, LEASE_WAIT_MS));
  }
}
