/** What a newcomer sees: the whole text of a first and of a second start. `write-samples.ts` writes both anew. */
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FIRST_START,
  openDemoWorld,
  readmeSample,
  SECOND_START,
  SECOND_START_TEXT,
  sampleInReadme,
} from '../support/demo-world';

jest.setTimeout(600_000);
const folder = mkdtempSync(join(tmpdir(), 'demo-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a first start prints what README shows, and a second one goes on; the numbers add up to what was served anew', async () => {
  const world = openDemoWorld(folder);
  const first = await world.start(FIRST_START);
  expect(readmeSample(first.text)).toBe(sampleInReadme());
  const second = await world.start(SECOND_START);
  expect(second.text).toBe(readFileSync(SECOND_START_TEXT, 'utf8'));
  for (const { text, exitCode, added } of [first, second]) {
    expect(exitCode).toBe(0);
    const [, read = '', ...parts] = /^ +all +(\S+) = +(\S+) \+ +(\S+) \+ +(\S+) /m.exec(text) ?? [];
    const [archived = 0, quarantined = 0, known = 0] = parts.map(numberOf);
    expect([archived + quarantined + known, archived + quarantined]).toEqual([numberOf(read), added]);
    expect(text.split('\n').filter((line) => line.length > 80)).toEqual([]);
  }
});

function numberOf(figure: string): number {
  return Number(figure.replaceAll(',', ''));
}
