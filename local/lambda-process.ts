/**
 * Runs a bundled Lambda handler, unmodified, in a process of its own. As in Lambda, the process stays warm from one
 * invocation to the next, is killed at its timeout, and sees no environment but what it is given and the folder of its
 * code. The process leads its own process group, so that a test can kill it at any moment, and it ends when the process
 * that started it ends.
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { devNull } from 'node:os';
import { resolve as absolute, dirname, join } from 'node:path';
import { createInterface } from 'node:readline';
import { ARCHIVER_MEMORY_MB } from '../lambdas/shared/contract';

/** The same shares as in Lambda's own start of Node. Without them V8 would size its heap by the memory of this machine. */
const HEAP_LIMITS = [
  `--max-semi-space-size=${Math.floor(ARCHIVER_MEMORY_MB * 0.05)}`,
  `--max-old-space-size=${Math.floor(ARCHIVER_MEMORY_MB * 0.9)}`,
];

export type InvocationResult =
  | { readonly ok: true; readonly result?: unknown }
  | { readonly ok: false; readonly error: HandlerError };

/** The error that the handler threw; or, where the process ended, `Runtime.ExitError` or `Sandbox.Timedout` as in Lambda. */
export interface HandlerError {
  readonly name: string;
  readonly message: string;
}

/** The settings with which the AWS SDK calls the local servers and reads no AWS configuration of this machine. */
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
    // The SDK warns on the Node versions of some machines, and the deployed function runs on a newer one.
    AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED: 'true',
  };
}

/**
 * `onLine` receives each line that the handler writes to standard output or error, except blank lines. The returned
 * `pid` is also the id of the process group.
 */
export async function startLambdaProcess(
  bundleFile: string,
  environment: Readonly<Record<string, string>>,
  onLine: (line: string) => void = () => undefined,
) {
  const runtime = join(import.meta.dirname, 'lambda-runtime.cjs');
  const child = spawn(process.execPath, [...HEAP_LIMITS, runtime, absolute(bundleFile)], {
    detached: true,
    env: { PATH: process.env.PATH, LAMBDA_TASK_ROOT: dirname(absolute(bundleFile)), ...environment },
    stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
  });
  await once(child, 'spawn');
  const closed = once(child, 'close');
  const waiting = new Map<string, (result: InvocationResult) => void>();
  const receive = (line: string) => {
    const [, requestId = '', result = ''] = /^END RequestId: (\S+) (.*)$/.exec(line) ?? [];
    const deliver = waiting.get(requestId);
    if (deliver !== undefined) deliver(JSON.parse(result) as InvocationResult);
    else if (line.trim() !== '') onLine(line);
  };
  for (const input of [child.stdout, child.stderr]) {
    if (input !== null) createInterface({ input }).on('line', receive);
  }

  /** Call it again only after it has resolved. By then every line that the handler logged has been delivered. */
  async function invoke(event: unknown, timeoutMs: number): Promise<InvocationResult> {
    const requestId = randomUUID();
    const answered = new Promise<InvocationResult>((resolve) => waiting.set(requestId, resolve));
    let exit = 'Runtime.ExitError';
    const timer = setTimeout(() => {
      exit = 'Sandbox.Timedout';
      killGroup(child);
    }, timeoutMs);
    // Sending fails where the process is gone; then `closed` tells how it ended.
    child.send({ requestId, event, timeoutMs }, () => undefined);
    const died = closed.then((): InvocationResult => {
      const message = `The handler's process ended with ${child.signalCode ?? `status ${child.exitCode}`}`;
      return { ok: false, error: { name: exit, message } };
    });
    const result = await Promise.race([answered, died]);
    clearTimeout(timer);
    return result;
  }

  /** Kills the whole process group and resolves when the process is gone. */
  async function close(): Promise<void> {
    killGroup(child);
    await closed;
  }

  return { pid: Number(child.pid), invoke, close };
}

function killGroup({ pid, exitCode, signalCode }: ChildProcess): void {
  // After the end of the process, another process may have its id.
  if (pid !== undefined && exitCode === null && signalCode === null) process.kill(-pid, 'SIGKILL');
}
