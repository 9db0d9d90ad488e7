/**
 * Runs a bundled Lambda handler, unmodified, in a process of its own: warm from one invocation to the next, killed at
 * its timeout, with no environment but what it is given. It leads its own process group, so a crash can be had at any
 * moment, and it ends when this process does.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { resolve as absolute, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ARCHIVER_MEMORY_MB } from '../lambdas/shared/contract';

export type Outcome = { readonly vmHwmKb?: number } & (
  | { readonly ok: true; readonly result?: unknown }
  | { readonly ok: false; readonly error: HandlerError }
);

/** What the handler threw. Where it could not throw: `Runtime.ExitError` or `Sandbox.Timedout`, as Lambda says it. */
export interface HandlerError {
  readonly name: string;
  readonly code?: unknown;
  readonly message: string;
}

export interface LambdaHost {
  /** Also the id of the process group. */
  readonly pid: number;
  /** One at a time. Every line logged meanwhile has been delivered before this resolves. */
  invoke(event: unknown, timeoutMs: number): Promise<Outcome>;
  /** SIGKILL to the whole group, as a Lambda's end between or within invocations is. Resolves once it is gone. */
  close(): Promise<void>;
}

export interface HostOptions {
  readonly functionName?: string;
  /** Of the function, as Lambda counts it. */
  readonly memoryMb?: number;
  /** Each line on standard output or error but blank ones. */
  onLine?(line: string): void;
}

/** What the AWS SDK needs to talk to local servers and to find nothing of this machine's own AWS settings. */
export function awsEnvironment(
  urls: { readonly s3: string; readonly dynamodb: string; readonly ssm: string },
  accessKeyId = 'local',
): Record<string, string> {
  return {
    AWS_REGION: 'us-east-1',
    AWS_ACCESS_KEY_ID: accessKeyId,
    AWS_SECRET_ACCESS_KEY: 'local',
    AWS_ENDPOINT_URL_S3: urls.s3,
    AWS_ENDPOINT_URL_DYNAMODB: urls.dynamodb,
    AWS_ENDPOINT_URL_SSM: urls.ssm,
    AWS_CONFIG_FILE: devNull,
    AWS_SHARED_CREDENTIALS_FILE: devNull,
    // The deployed function runs on a newer Node than some machines: a warning about that is no log line of its own.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

export async function startHost(
  bundleFile: string,
  environment: Readonly<Record<string, string>>,
  { functionName = 'local', memoryMb = ARCHIVER_MEMORY_MB, onLine = () => undefined }: HostOptions = {},
): Promise<LambdaHost> {
  const processFile = join(import.meta.dirname, 'lambda-runtime.cjs');
  const child = spawn(process.execPath, [...heapLimits(memoryMb), processFile, absolute(bundleFile), functionName], {
    detached: true,
    env: { PATH: process.env.PATH, ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  await once(child, 'spawn');
  const closed = once(child, 'close');
  const pid = Number(child.pid);
  const waiting = new Map<string, (outcome: Outcome) => void>();
  const receive = (line: string) => {
    const [, requestId = '', outcome = ''] = /^END RequestId: (\S+) (.*)$/.exec(line) ?? [];
    const deliver = waiting.get(requestId);
    if (deliver !== undefined) deliver(JSON.parse(outcome) as Outcome);
    else if (line.trim() !== '') onLine(line);
  };
  for (const input of [child.stdout, child.stderr]) {
    if (input !== null) createInterface({ input }).on('line', receive);
  }
  const close = async () => {
    killGroup(child);
    await closed;
  };

  async function invoke(event: unknown, timeoutMs: number): Promise<Outcome> {
    const requestId = randomUUID();
    const answered = new Promise<Outcome>((resolve) => waiting.set(requestId, resolve));
    let exit = 'Runtime.ExitError';
    const timer = setTimeout(() => {
      exit = 'Sandbox.Timedout';
      killGroup(child);
    }, timeoutMs);
    // Sending to a process that is gone fails; its `close` says why.
    child.send({ requestId, event, timeoutMs }, () => undefined);
    const died = closed.then(() => endOf(exit, child.signalCode ?? `status ${child.exitCode}`));
    const outcome = await Promise.race([answered, died]);
    clearTimeout(timer);
    return outcome;
  }
  return { pid, invoke, close };
}

/** As Lambda's own bootstrap starts Node: otherwise V8 would size its heap by this machine's memory. */
function heapLimits(memoryMb: number): string[] {
  const share = (percent: number) => Math.floor((memoryMb * percent) / 100);
  return [`--max-semi-space-size=${share(5)}`, `--max-old-space-size=${share(90)}`];
}

function endOf(name: string, how: string): Outcome {
  return { ok: false, error: { name, message: `The handler's process ended with ${how}` } };
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  // The id of a process that has ended may be another's by now.
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
}
