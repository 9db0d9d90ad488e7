/**
 * Prints the result of a query. The text in an event may come from an attacker. A table is for a terminal, so it
 * contains no control character. CSV is for a spreadsheet, so no text and no name of a column can be a formula. JSON leaves
 * all text unchanged.
 */
import Table from 'cli-table3';
import stringWidth from 'string-width';
import { plural, UTF8_MARK } from '../lambdas/shared/text';
import type { QueryResult, SqlEngine } from './sql-engine';

/** A table shows at most this many rows. CSV and JSON contain every row. */
const MOST_ROWS = 200;
/** No column is made narrower than this many characters. */
const NARROWEST = 8;

/** The price of Athena in most regions. Athena charges at least 10 MB for each query. */
const DOLLARS_PER_TERABYTE = 5;
const LEAST_BYTES = 10_000_000;

export interface Printer {
  /** Prints the result to standard output. */
  print(text: string): void;
  /** Prints remarks about the result to standard error. */
  note(text: string): void;
  /** The width of the terminal in characters; undefined if the output is not a terminal. */
  readonly width: number | undefined;
}

interface Shown {
  /** The question, and from when to when the archive reaches, as the JSON document states it. */
  readonly subject: object;
  /** The first line states how many rows there are. */
  readonly notes: readonly string[];
  readonly engine: SqlEngine;
  /** The results of questions that had to be asked first, which cost too. */
  readonly before?: readonly QueryResult[];
  readonly flags: { readonly csv?: boolean; readonly excel?: boolean; readonly json?: boolean };
  readonly printer: Printer;
}

export function show(answer: QueryResult, { subject, notes, engine, before = [], flags, printer }: Shown): void {
  const { remarks = [] } = engine;
  const { scannedBytes, dollars } = cost([...before, answer]);
  if (flags.json)
    printer.print(JSON.stringify({ ...subject, scannedBytes, dollars, remarks, rows: asObjects(answer) }, null, 2));
  else if (flags.csv) printer.print(flags.excel ? UTF8_MARK + asCsv(toTheSecond(answer)) : asCsv(answer));
  else if (answer.rows.length > 0) printer.print(asTable(answer, printer.width));
  for (const note of [...notes, ...remarks]) printer.note(note);
  if (scannedBytes !== undefined)
    printer.note(`Athena scanned ${plural(scannedBytes, 'byte')}, which costs about $${dollars?.toFixed(5)}.`);
}

function cost(answers: readonly QueryResult[]): { scannedBytes?: number; dollars?: number } {
  const scanned = answers.flatMap(({ scannedBytes }) => scannedBytes ?? []);
  if (scanned.length === 0) return {};
  const charged = scanned.reduce((sum, bytes) => sum + Math.max(bytes, LEAST_BYTES), 0);
  return {
    scannedBytes: scanned.reduce((sum, bytes) => sum + bytes, 0),
    dollars: (charged / 1e12) * DOLLARS_PER_TERABYTE,
  };
}

/** `width` is that of the terminal in characters. Without it the table is as wide as its content. */
export function asTable({ columns, rows }: QueryResult, width = Number.POSITIVE_INFINITY): string {
  const first = toTheSecond({ columns, rows: rows.slice(0, MOST_ROWS) });
  const shown = first.rows.map((row) => row.map((cell) => printable(cell ?? '')));
  const cells = columns.map(({ name }, index) => [name, ...shown.map((row) => row[index] ?? '')]);
  const table = new Table({
    head: columns.map(({ name }) => name),
    colAligns: columns.map(({ kind }) => (kind === 'number' ? 'right' : 'left')),
    colWidths: narrowed(columns, cells, width).map((each) => each + 2),
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
        if (cell === null || kind === 'text' || kind === 'instant') return [name, cell];
        return [name, kind === 'number' ? Number(cell) : cell === 'true'];
      }),
    ),
  );
}

/**
 * Narrows the widest columns until the table fits. Columns with instants keep their width, because half of one is
 * useless.
 */
function narrowed(columns: QueryResult['columns'], cells: readonly (readonly string[])[], width: number): number[] {
  const widths = cells.map((column) => Math.max(...column.map(stringWidth)));
  const isFixed = columns.map(({ kind }) => kind === 'instant');
  const borders = 3 * widths.length + 1;
  for (let over = widths.reduce((sum, each) => sum + each, borders) - width; over > 0; over -= 1) {
    const widest = Math.max(...widths.filter((_, index) => !isFixed[index]));
    if (widest <= NARROWEST) break;
    widths[widths.findIndex((each, index) => each === widest && !isFixed[index])] = widest - 1;
  }
  return widths;
}

/** Cuts fractions of seconds off the instants. Excel takes an instant with a fraction for a time of day. */
export function toTheSecond({ columns, rows }: QueryResult): QueryResult {
  const cut = (cell: string | null, kind = 'text') => (kind === 'instant' && cell !== null ? cell.slice(0, 19) : cell);
  return { columns, rows: rows.map((row) => row.map((cell, index) => cut(cell, columns[index]?.kind))) };
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
