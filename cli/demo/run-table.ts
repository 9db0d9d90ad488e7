/** The runs of a start as a table whose numbers add up, with the meaning of each column. */
import type { RunSummary } from '../../lambdas/shared/contract';
import { figure } from '../../lambdas/shared/text';
import { type Screen, say } from './screen';

/** The lines that a run has taken in. A line that is served twice is known at the second time. */
export interface RunRow {
  readonly read: number;
  readonly archived: number;
  readonly quarantined: number;
  readonly known: number;
  /** Those of the archived events that appeared late. */
  readonly late: number;
  /** Numbers of the first and the last manifest. */
  readonly manifests: readonly [number, number];
}

const WIDTHS = [5, 10, 11, 13, 16] as const;
const SIGNS = ['', '', ' =', ' +', ' +'];
const HEAD = ['run', 'read', 'archived', 'quarantine', 'known already'];

/** Undefined for a run that committed no manifest. */
export function readRow({ counts, seq, manifests }: RunSummary): RunRow | undefined {
  if (counts === undefined || seq === undefined) return undefined;
  const quarantined = Object.values(counts.quarantined).reduce((sum, count) => sum + count, 0);
  const known = counts.known + counts.revisions - (counts.quarantined.revision ?? 0);
  const { events: archived, late } = counts;
  const read = archived + quarantined + known;
  return { read, archived, quarantined, known, late, manifests: [seq - manifests + 1, seq] };
}

export function tableHead(): string {
  return `${line(HEAD)}   manifests`;
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
    manifests: [sum.manifests[0], row.manifests[1]],
  }));
}

export function explain(screen: Screen, { late }: RunRow): void {
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
