/** Writes the template of every configuration of the matrix into a folder: `tsx write-templates.ts FOLDER`. */

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { synthesise } from '../support/synthesised';
import { matrix } from './matrix';

const [, , folder = 'templates'] = process.argv;
mkdirSync(folder, { recursive: true });
for (const [name, archive] of Object.entries(matrix)) {
  const file = join(folder, `${name.replaceAll(' ', '-')}.json`);
  writeFileSync(file, JSON.stringify(synthesise(archive).template.toJSON(), null, 1));
}
