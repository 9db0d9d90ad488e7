/** Runs an archive, and shows its runs as a table whose numbers add up, with the meaning of each column. */

import type { RunSummary } from '../../lambdas/shared/contract';
import { figure } from '../../lambdas/shared/text';
import type { InvocationResult } from '../../local/lambda-process';
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
    if (rows.length === 0) screen.print(`${line(HEAD)}   manifests`);
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

const WIDTHS = [5, 10, 11, 13, 16] as const;
const SIGNS = ['', '', ' =', ' +', ' +'];
const HEAD = ['run', 'read', 'archived', 'quarantine', 'known already'];

type RunRow = NonNullable<ReturnType<typeof readRow>>;

/**
 * The lines that a run has taken in; undefined for a run that committed no manifest. A line that is served twice is known at the
 * second time. `late` are those of the archived events that appeared late, and `manifests` the numbers of the first and the last one.
 */
export function readRow({ counts, seq, manifests }: RunSummary) {
  if (counts === undefined || seq === undefined) return undefined;
  const quarantined = Object.values(counts.quarantined).reduce((sum, count) => sum + count, 0);
  const known = counts.known + counts.revisions - (counts.quarantined.revision ?? 0);
  const { events: archived, late } = counts;
  const read = archived + quarantined + known;
  return { read, archived, quarantined, known, late, manifests: [seq - manifests + 1, seq] as const };
}

export function tableRow(label: string, { read, archived, quarantined, known, manifests }: RunRow): string {
  const cells = [label, ...[read, archived, quarantined, known].map(figure)];
  return `${line(cells)}   ${[...new Set(manifests)].join('-')}`;
}

/** The row below the others. Undefined for one row. */
export function sumOf(rows: readonly RunRow[]): RunRow | undefined {
  if (rows.length < 2) return undefined;
  return rows.reduce((sum, row) => ({
    read: sum.read + row.read,
    archived: sum.archived + row.archived,
    quarantined: sum.quarantined + row.quarantined,
    known: sum.known + row.known,
    late: sum.late + row.late,
    manifests: [sum.manifests[0], row.manifests[1]] as const,
  }));
}

function explain(screen: Screen, { late }: RunRow): void {
  const lateEvents =
    late === 0
      ? ''
      : ` ${figure(late)} ${late === 1 ? 'was' : 'were'} late: served only after a run had read that time.`;
  say(screen, `events, each of them once.${lateEvents}`, '  archived       ');
  say(screen, 'lines kept as sent, but apart: no usable id or time, or a changed event.', '  quarantine     ');
  say(
    screen,
    'each run reads the time before it again, and older days in turn, because events may appear late. Nothing is kept twice.',
    '  known already  ',
  );
  say(screen, 'signed records of what was archived; each names the one before.', '  manifests      ');
}

function line(cells: readonly string[]): string {
  return cells
    .map((cell, index) => (SIGNS[index] ?? '') + cell.padStart((WIDTHS[index] ?? 0) - (SIGNS[index] ?? '').length))
    .join('');
}
