/**
 * Compares events.csv with the signed archive of the package: each day has the same ids, as often. This is a proof only if the
 * archive has no findings. The ids of one day are in memory.
 */
import { createReadStream } from 'node:fs';
import { isDeepStrictEqual } from 'node:util';
import { readEvent } from '../../lambdas/shared/event';
import { readSegmentKey } from '../../lambdas/shared/object-keys';
import { decompress, splitLines } from '../../lambdas/shared/segment';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import { MAX_OBJECT_BYTES } from '../../lambdas/verifier/member';

/** The first cells of a row. They are in this order so that nothing else of a row must be read. */
export const FIRST_COLUMNS = 'event_time, team, id';
const FIRST_CELLS = /^(\d{4}-\d\d-\d\d)[^,]*,[^,]*,(?:"((?:[^"]|"")*)"|([^,]*)),/;

/** Returns the date of a day that differs, or undefined if all are equal. */
export async function compareEvents(file: string, archive: ArchiveReader): Promise<string | undefined> {
  const keys = new Map<string, string[]>();
  for (const key of await archive.list('events/')) {
    const date = readSegmentKey(key)?.date ?? '';
    keys.set(date, [...(keys.get(date) ?? []), key]);
  }
  for await (const { date, ids } of readDays(file)) {
    const archived = await readIds(archive, keys.get(date) ?? []);
    // A day that comes twice differs too.
    keys.delete(date);
    if (!isDeepStrictEqual(ids.sort(), archived.sort())) return date;
  }
  return [...keys.keys()].sort()[0];
}

async function readIds(archive: ArchiveReader, keys: readonly string[]): Promise<string[]> {
  const ids: string[] = [];
  for (const key of keys) {
    const bytes = (await archive.get(key)) ?? Buffer.of();
    for (const line of splitLines(decompress(bytes, MAX_OBJECT_BYTES))) ids.push(comparable(readEvent(line).id ?? ''));
  }
  return ids;
}

async function* readDays(file: string) {
  let day = { date: '', ids: [] as string[] };
  for await (const record of readRecords(file)) {
    const [, date = 'an unknown day', quoted, plain = ''] = FIRST_CELLS.exec(record) ?? [];
    if (date !== day.date) {
      if (day.date !== '') yield day;
      day = { date, ids: [] };
    }
    day.ids.push(comparable(quoted?.replaceAll('""', '"') ?? plain));
  }
  if (day.date !== '') yield day;
}

/** Yields the rows without the head. A line break within quotes belongs to its cell. */
async function* readRecords(file: string): AsyncGenerator<string> {
  let [record, isQuoted, isHead] = ['', false, true];
  for await (const chunk of createReadStream(file, 'utf8') as AsyncIterable<string>)
    for (const [index, piece] of chunk.split('\n').entries()) {
      if (index > 0 && !isQuoted) {
        if (!isHead) yield record;
        [record, isHead] = ['', false];
      }
      record += piece;
      if (piece.split('"').length % 2 === 0) isQuoted = !isQuoted;
    }
  if (record !== '') yield record;
}

/** The SQL engine shortens a number that is no plain integer, and a CSV file protects a spreadsheet from formulas. */
function comparable(id: string): string {
  const isShortened = /^-?\d+(\.\d+)?([eE][+-]?\d+)?$/.test(id) && !/^[1-9]\d{0,18}$/.test(id);
  return isShortened ? String(Number(id)) : id.replace(/^'(?=[=+\-@\t\r])/, '');
}
