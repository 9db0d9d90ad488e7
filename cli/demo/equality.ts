/**
 * Compares the archive with the lines that the source has served. It uses nothing of the product's own reading: every
 * file in the folder is simply gunzipped. They are equal if each distinct line that was served occurs exactly once under
 * `events/` or `quarantine/`, and no other line does.
 */
import { appendFileSync, existsSync, readdirSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { plural } from '../../lambdas/shared/text';
import { type Screen, section } from './screen';

/**
 * Keeps each distinct line that the source serves in a file, from one start to the next. Add the lines before the client
 * gets them, so that no end of this process loses a served line.
 */
export function openServedLines(file: string) {
  const kept = existsSync(file) ? readFileSync(file) : Buffer.alloc(0);
  // A full disk or a kill may leave a part of a line, which was then not served.
  let size = kept.lastIndexOf('\n') + 1;
  const all = new Set(linesOf(kept.subarray(0, size)));
  function add(served: readonly string[]): void {
    const added = [...new Set(served)].filter((line) => !all.has(line));
    const bytes = Buffer.from(added.map((line) => `${line}\n`).join(''));
    if (existsSync(file)) truncateSync(file, size);
    appendFileSync(file, bytes);
    size += bytes.length;
    for (const line of added) all.add(line);
  }
  return { all, add };
}

/** Returns whether they are equal. */
export function compareWithSource(bucket: string, served: ReadonlySet<string>, screen: Screen): boolean {
  const archived = archivedLines(bucket);
  const distinct = new Set(archived);
  const missing = [...served].filter((line) => !distinct.has(line)).length;
  const extra = archived.length - (served.size - missing);
  const isEqual = missing + extra === 0;
  const verdict = isEqual ? 'the same, each of them once' : 'NOT EQUAL';
  const lines = `${plural(served.size, 'different line')} served, ${plural(archived.length, 'line')} archived, events and quarantine together`;
  section(
    screen,
    'COMPARE',
    `Line by line with the server: ${lines}: ${verdict}.`,
    ...(missing > 0 ? [`Served, and not in the archive: ${plural(missing, 'line')}.`] : []),
    ...(extra > 0 ? [`Archived, and never served or more than once: ${plural(extra, 'line')}.`] : []),
  );
  return isEqual;
}

function archivedLines(bucket: string): string[] {
  // A folder exists from its first object on, and most archives have nothing in quarantine.
  const areas = ['events', 'quarantine'].map((area) => join(bucket, area)).filter((area) => existsSync(area));
  return areas.flatMap((area) => {
    const names = readdirSync(area, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.gz'));
    return names.flatMap((name) => linesOf(gunzipSync(readFileSync(join(area, name)))));
  });
}

function linesOf(text: Buffer): string[] {
  return String(text).split('\n').filter(Boolean);
}
