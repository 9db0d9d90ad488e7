/**
 * How an answer is shown. What an event says may be anybody's. So in a table, which is for a terminal, no control
 * character is left; in CSV no text is a formula to a spreadsheet, and is otherwise as it is; in JSON all text is.
 */
import Table from 'cli-table3';
import stringWidth from 'string-width';
import type { QueryResult } from './sql-engine';

/** A person reads no more; the other formats hold all. */
const MOST_ROWS = 200;
const NARROWEST = 8;

const INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

export interface TableOptions {
  /** In characters; as wide as need be where it is not given. */
  readonly width?: number | undefined;
  readonly maxRows?: number;
}

export function asTable({ columns, rows }: QueryResult, { width, maxRows = MOST_ROWS }: TableOptions = {}): string {
  const shown = rows.slice(0, maxRows).map((row) => row.map((cell) => printable(toTheSecond(cell ?? ''))));
  const cells = columns.map(({ name }, index) => [name, ...shown.map((row) => row[index] ?? '')]);
  const table = new Table({
    head: columns.map(({ name }) => name),
    colAligns: columns.map(({ kind }) => (kind === 'number' ? 'right' : 'left')),
    colWidths: narrowed(cells, width).map((each) => each + 2),
    style: { head: [], border: [], compact: true },
  });
  table.push(...shown);
  const more = rows.length - shown.length;
  return (
    table.toString() + (more > 0 ? `\n... and ${more.toLocaleString('en')} more rows: --csv and --json hold all` : '')
  );
}

export function asCsv({ columns, rows }: QueryResult): string {
  const cells = rows.map((row) => row.map((cell, index) => csvCell(cell, columns[index]?.kind === 'number')));
  return [columns.map(({ name }) => name), ...cells].map((row) => row.join(',')).join('\n');
}

/** One object for each row. */
export function asObjects({ columns, rows }: QueryResult): Record<string, string | number | boolean | null>[] {
  return rows.map((row) =>
    Object.fromEntries(
      columns.map(({ name, kind }, index) => {
        const cell = row[index] ?? null;
        if (cell === null || kind === 'text') return [name, cell];
        return [name, kind === 'number' ? Number(cell) : cell === 'true'];
      }),
    ),
  );
}

/** Takes from the widest columns until the table fits; but half an instant says nothing. */
function narrowed(columns: readonly (readonly string[])[], width = Number.POSITIVE_INFINITY): number[] {
  const widths = columns.map((cells) => Math.max(...cells.map(stringWidth)));
  const isFixed = columns.map((cells) => cells.some((cell) => INSTANT.test(cell)));
  const borders = 3 * widths.length + 1;
  for (let over = widths.reduce((sum, each) => sum + each, borders) - width; over > 0; over -= 1) {
    const widest = Math.max(...widths.filter((_, index) => !isFixed[index]));
    if (widest <= NARROWEST) break;
    widths[widths.findIndex((each, index) => each === widest && !isFixed[index])] = widest - 1;
  }
  return widths;
}

function toTheSecond(text: string): string {
  return text.replace(/^(.{19})\.\d{3}$/, (whole, seconds: string) => (INSTANT.test(seconds) ? seconds : whole));
}

/** Text from outside must not steer the terminal, nor reorder what stands around it. */
function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

function csvCell(cell: string | null, isNumber: boolean): string {
  if (cell === null) return '';
  const harmless = isNumber ? cell : cell.replace(/^(?=[=+\-@\t\r])/, "'");
  return harmless === '' || /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
