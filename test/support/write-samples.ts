/** `npx tsx test/support/write-samples.ts` writes what `npm start` prints into README and into the fixture of a second start. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  FIRST_START,
  openDemoWorld,
  readmeSample,
  SECOND_START,
  SECOND_START_TEXT,
  writeSampleInReadme,
} from './demo-world';

const folder = mkdtempSync(join(tmpdir(), 'demo-'));
const world = openDemoWorld(folder);
writeSampleInReadme(readmeSample((await world.start(FIRST_START)).text));
writeFileSync(SECOND_START_TEXT, (await world.start(SECOND_START)).text);
rmSync(folder, { recursive: true });
