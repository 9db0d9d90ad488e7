/**
 * Prints the result of a query. The text in an event may come from an attacker. A table is for a terminal, so it
 * contains no control character. CSV is for a spreadsheet, so no text and no name of a column can be a formula, and it
 * has no byte-order mark. JSON leaves all text unchanged.
 */
import Table from 'cli-table3';
import stringWidth from 'string-width';
import { plural } from '../lambdas/shared/text';
import type { QueryResult, SqlEngine } from './sql-engine';

/** A table shows at most this many rows. CSV and JSON contain every row. */
const MOST_ROWS = 200;
/** No column is made narrower than this many characters. */
const NARROWEST = 8;

/** The price of Athena in most regions. Athena charges at least 10 MB for each query. */
const DOLLARS_PER_TERABYTE = 5;
const LEAST_BYTES = 10_000_000;

const INSTANT = /^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/;

export interface Printer {
  /** Prints the result to standard output. */
  print(text: string): void;
  /** Prints remarks about the result to standard error. */
  note(text: string): void;
  /** The width of the terminal in characters; undefined if the output is not a terminal. */
  readonly width: number | undefined;
}

interface Shown {
  /** The question, as the JSON document states it. */
  readonly subject: object;
  readonly notes: readonly string[];
  readonly engine: SqlEngine;
  readonly flags: { readonly csv?: boolean; readonly json?: boolean };
  readonly printer: Printer;
}

export function show(answer: QueryResult, { subject, notes, engine, flags, printer }: Shown): void {
  const { remarks = [] } = engine;
  if (flags.json)
    printer.print(JSON.stringify({ ...subject, ...cost(answer), remarks, rows: asObjects(answer) }, null, 2));
  else if (flags.csv) printer.print(asCsv(answer));
  else if (answer.rows.length > 0) printer.print(asTable(answer, printer.width));
  const rows =
    answer.rows.length === 0
      ? 'No rows: nothing in the archive matches this query'
      : `${plural(answer.rows.length, 'row')}, times in UTC`;
  const [first, ...others] = notes;
  for (const note of [first === undefined ? `${rows}.` : `${rows}. ${first}`, ...others, ...remarks])
    printer.note(note);
  const { scannedBytes, dollars } = cost(answer);
  if (scannedBytes !== undefined)
    printer.note(`Athena scanned ${plural(scannedBytes, 'byte')}, which costs about $${dollars?.toFixed(5)}.`);
}

function cost({ scannedBytes }: QueryResult): { scannedBytes?: number; dollars?: number } {
  if (scannedBytes === undefined) return {};
  return { scannedBytes, dollars: (Math.max(scannedBytes, LEAST_BYTES) / 1e12) * DOLLARS_PER_TERABYTE };
}

/** `width` is that of the terminal in characters. Without it the table is as wide as its content. */
export function asTable({ columns, rows }: QueryResult, width = Number.POSITIVE_INFINITY): string {
  const shown = rows.slice(0, MOST_ROWS).map((row) => row.map((cell) => printable(toTheSecond(cell ?? ''))));
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
    table.toString() +
    (more > 0 ? `\n... and ${more.toLocaleString('en')} more rows: use --csv or --json to get every row` : '')
  );
}

export function asCsv({ columns, rows }: QueryResult): string {
  return [csvHead(columns), ...rows.map((row) => csvRow(row, columns))].join('\n');
}

export function csvHead(columns: QueryResult['columns']): string {
  return columns.map(({ name }) => csvCell(name, false)).join(',');
}

export function csvRow(row: QueryResult['rows'][number], columns: QueryResult['columns']): string {
  return row.map((cell, index) => csvCell(cell, columns[index]?.kind === 'number')).join(',');
}

/** Returns one object for each row. */
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

/**
 * Narrows the widest columns until the table fits. Columns with instants keep their width, because half of one is
 * useless.
 */
function narrowed(columns: readonly (readonly string[])[], width: number): number[] {
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

/** Text from outside must neither control the terminal nor change the order in which the text around it is shown. */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`,
  );
}

function csvCell(cell: string | null, isNumber: boolean): string {
  if (cell === null) return '';
  // A spreadsheet ends a text at the character NUL, or refuses the file.
  const harmless = isNumber ? cell : cell.replace(/^(?=[=+\-@\t\r])/, "'").replaceAll('\0', '\\u{0}');
  return harmless === '' || /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless;
}
