/**
 * Compares the archive with the lines that the source has served. It uses nothing of the product's own reading: every
 * file in the folder is simply gunzipped. They are equal if each distinct line that was served occurs exactly once under
 * `events/` or `quarantine/`, and no other line does.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';

/** Returns numbers of lines. */
export function compareWithSource(bucket: string, servedLines: readonly string[]) {
  const counts = new Map<string, number>();
  for (const line of archivedLines(bucket)) counts.set(line, (counts.get(line) ?? 0) + 1);
  const served = new Set(servedLines);
  const missing = [...served].filter((line) => !counts.has(line)).length;
  const archived = [...counts.values()].reduce((sum, times) => sum + times, 0);
  return { served: served.size, archived, missing, extra: archived - (served.size - missing) };
}

function* archivedLines(bucket: string): Generator<string> {
  // A folder exists from its first object on, and most archives have nothing in quarantine.
  for (const area of ['events', 'quarantine'].filter((each) => existsSync(join(bucket, each)))) {
    for (const name of readdirSync(join(bucket, area), { recursive: true, encoding: 'utf8' })) {
      if (!name.endsWith('.gz')) continue;
      const text = gunzipSync(readFileSync(join(bucket, area, name))).toString('utf8');
      yield* text.split('\n').filter((line) => line !== '');
    }
  }
}
