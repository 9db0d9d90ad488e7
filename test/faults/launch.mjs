/**
 * `npm run test:faults`. With `-- --seed N` it plays one random world again, with `-- --minutes M` new ones for so many
 * minutes. It passes all other arguments to jest.
 */
import { spawnSync } from 'node:child_process';
import { createRequire } from 'node:module';

const given = process.argv.slice(2).flatMap((argument) => argument.split(/(?<=^--(?:seed|minutes))=/));
const env = { ...process.env };
const forJest = [];
for (let index = 0; index < given.length; index += 1) {
  const name = { '--seed': 'FAULTS_SEED', '--minutes': 'FAULTS_MINUTES' }[given[index]];
  if (name === undefined) forJest.push(given[index]);
  else env[name] = checked(given[index], given[++index]);
}
const only = env.FAULTS_SEED || env.FAULTS_MINUTES ? ['--testPathPatterns=faults/random-worlds'] : [];
const jest = createRequire(import.meta.url).resolve('jest/bin/jest');
const { status } = spawnSync(
  process.execPath,
  // Time is virtual, so that the real time only shows how busy the machine is.
  [jest, '--selectProjects=faults', '--maxWorkers=2', '--testTimeout=300000', ...only, ...forJest],
  { env, stdio: 'inherit' },
);
process.exitCode = status ?? 1;

function checked(option, value) {
  if (/^\d+(\.\d+)?$/.test(value ?? '')) return value;
  console.error(`${option} needs a number`);
  process.exit(2);
}
