/** `npm run bench -- NAME` runs one bench, and `npm run bench` all of them. Only the ratios within one run are valid elsewhere. */
import { benchDaily } from './daily';
import { benchSql } from './sql';
import { benchVerify } from './verify';

const benches: Readonly<Record<string, () => Promise<void>>> = {
  sql: benchSql,
  verify: benchVerify,
  daily: benchDaily,
};

const names = process.argv.slice(2);
const unknown = names.find((name) => !Object.hasOwn(benches, name));
if (unknown !== undefined) throw new Error(`there is no bench "${unknown}": choose from ${Object.keys(benches)}`);
for (const [name, bench] of Object.entries(benches)) {
  if (names.length === 0 || names.includes(name)) await bench();
}
