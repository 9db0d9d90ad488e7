/**
 * The server processes of the suite. A process is awaited until it answers. It ends with the test file, also if a test
 * fails, if its start fails, or if jest is killed. Its log is printed if a test failed.
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

/** Kills the server when standard input closes, which happens when this process ends, for whatever reason. */
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
  readonly env?: Readonly<Record<string, string>>;
  command(port: number, folder: string): readonly string[];
  /** The server is ready as soon as this is true. An error counts as false. */
  isReady(url: string): Promise<boolean>;
}

export interface Server {
  readonly url: string;
  /** The server's own folder, in which `server.log` is its log. */
  readonly folder: string;
  close(): Promise<void>;
}

/** Starts a server on a free port of the loopback interface. */
export async function launch(name: string, { command, env = {}, isReady }: Launch): Promise<Server> {
  const folder = mkdtempSync(join(tmpdir(), `${name}-`));
  const port = await freePort();
  const url = `http://127.0.0.1:${port}`;
  const log = openSync(join(folder, 'server.log'), 'w');
  const child = spawn('/bin/sh', ['-c', WATCHED, name, ...command(port, folder)], {
    cwd: folder,
    env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
    stdio: ['pipe', log, log],
  });
  closeSync(log);
  const server = { name, folder, child };
  running.add(server);
  for (const deadline = Date.now() + READY_TIMEOUT_MS; !(await isReady(url).catch(() => false)); await sleep(POLL_MS)) {
    const problem = child.exitCode !== null ? `ended with ${child.exitCode}` : 'does not answer';
    if (child.exitCode === null && Date.now() < deadline) continue;
    const said = tailOf(server);
    await stop(server);
    throw new Error(`${name} ${problem}. Its log:\n${said}`);
  }
  return { url, folder, close: () => stop(server) };
}

/** Stops every server. A test file calls it in `afterAll`. */
export async function stopServers(): Promise<void> {
  const { engineTestFailed = false } = globalThis as { engineTestFailed?: boolean };
  for (const server of running) {
    if (engineTestFailed) process.stderr.write(`\n== log of ${server.name}\n${tailOf(server)}\n`);
    await stop(server);
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
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
