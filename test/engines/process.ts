/**
 * A server process of the suite: waited for until it answers, and gone when the test file ends, whatever happens: also
 * where a test fails, where starting it fails, and where jest itself is killed. Its log is shown if a test failed.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

const READY_TIMEOUT_MS = 120_000;
const POLL_MS = 50;
const TAIL_CHARACTERS = 4000;

/** Kills the server when standard input closes: its other end closes with this process, however that ends. */
const WATCHED = `
exec 3<&0
"$@" 3<&- </dev/null & server=$!
{ cat <&3; kill -KILL $server; } >/dev/null 2>&1 &
wait $server`;

interface Running {
  readonly name: string;
  readonly folder: string;
  readonly child: ChildProcess;
}

const running = new Set<Running>();

export interface Launch {
  readonly name: string;
  /** The server's own folder; its log is `server.log` in it. */
  readonly folder: string;
  readonly command: readonly [string, ...string[]];
  readonly env?: Readonly<Record<string, string>>;
  /** Asked again until it holds. An error is a no. */
  isReady(): Promise<boolean>;
}

/** Resolves to what stops it. */
export async function launch({ name, folder, command, env = {}, isReady }: Launch): Promise<() => Promise<void>> {
  const log = openSync(join(folder, 'server.log'), 'w');
  const child = spawn('/bin/sh', ['-c', WATCHED, name, ...command], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const server = { name, folder, child };
  running.add(server);
  for (const deadline = Date.now() + READY_TIMEOUT_MS; !(await isReady().catch(() => false)); await sleep(POLL_MS)) {
    const problem = child.exitCode !== null ? `ended with ${child.exitCode}` : 'does not answer';
    if (child.exitCode === null && Date.now() < deadline) continue;
    const said = tailOf(server);
    await stop(server);
    throw new Error(`${name} ${problem}. Its log:\n${said}`);
  }
  return () => stop(server);
}

/** For `afterAll`. */
export async function stopServers(): Promise<void> {
  const { engineTestFailed = false } = globalThis as { engineTestFailed?: boolean };
  for (const server of running) {
    if (engineTestFailed) process.stderr.write(`\n== log of ${server.name}\n${tailOf(server)}\n`);
    await stop(server);
  }
}

export function serverFolder(name: string): string {
  return mkdtempSync(join(tmpdir(), `${name}-`));
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** True where the server answers the address with a success. */
export async function answers(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}

async function stop(server: Running): Promise<void> {
  if (!running.delete(server)) return;
  const { child, folder } = server;
  child.stdin?.end();
  if (child.exitCode === null) await once(child, 'exit');
  rmSync(folder, { recursive: true, force: true });
}

function tailOf({ folder }: Running): string {
  return readFileSync(join(folder, 'server.log'), 'utf8').slice(-TAIL_CHARACTERS);
}
