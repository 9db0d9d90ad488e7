/** The bundled archiver in a process of its own. A story runs, kills and stops it, and reads what it logs. */

import type { ArchiveInput, RunSummary } from '../../lambdas/shared/contract';
import { type HandlerError, startLambdaProcess } from '../../local/lambda-process';

const RUN_TIMEOUT_MS = 120_000;

/** How a run ended, whether it returned or threw; `ended` if its process did. */
export interface Ended extends Partial<Omit<RunSummary, 'outcome'>> {
  readonly outcome: RunSummary['outcome'] | 'ended';
}

export interface RunChange extends Partial<ArchiveInput> {
  /** The time that is left to the run when it begins. */
  readonly timeoutMs?: number;
}

export type Lambda = Awaited<ReturnType<typeof startLambda>>;

export interface LambdaOptions {
  readonly handlerFile: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly input: Omit<ArchiveInput, 'scheduledTime'>;
  /** Gets every line that is logged, and what is returned or thrown. */
  readonly onLine: (line: string) => void;
}

export async function startLambda(options: LambdaOptions) {
  const { environment, input, onLine, handlerFile } = options;
  const lines: string[] = [];
  const lambda = await startLambdaProcess(handlerFile, environment, (line) => {
    lines.push(line);
    onLine(line);
  });

  async function run({ timeoutMs = RUN_TIMEOUT_MS, ...change }: RunChange = {}): Promise<Ended> {
    const from = lines.length;
    const event = { scheduledTime: new Date().toISOString(), ...input, ...change };
    const outcome = await lambda.invoke(event, timeoutMs);
    onLine(JSON.stringify(outcome));
    if (!outcome.ok && isEnd(outcome.error.name)) return { outcome: 'ended', detail: outcome.error.message };
    // Each run logs one summary line, which says the same as what is returned or thrown.
    const summaries = lines.slice(from).flatMap((line) => readSummary(line) ?? []);
    const said = outcome.ok ? (outcome.result as RunSummary) : failed(outcome.error);
    expect(summaries).toEqual([expect.objectContaining(withoutNull(said))]);
    return { outcome: 'failed', ...summaries[0], ...said };
  }

  function isAlive(): boolean {
    try {
      return process.kill(lambda.pid, 0);
    } catch {
      return false;
    }
  }

  /** Signals the whole process group. */
  function signal(name: 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    process.kill(-lambda.pid, name);
  }

  return { run, signal, isAlive, close: lambda.close };
}

function isEnd(name: string): boolean {
  return name === 'Runtime.ExitError' || name === 'Sandbox.Timedout';
}

function failed({ name, message }: HandlerError): Partial<RunSummary> {
  return { outcome: 'failed', code: name, detail: message };
}

/** The logger leaves out fields that are null. */
function withoutNull(summary: Partial<RunSummary>): object {
  return Object.fromEntries(Object.entries(summary).filter(([, value]) => value !== null));
}

function readSummary(line: string): RunSummary | undefined {
  const value = line.startsWith('{') ? JSON.parse(line) : {};
  return 'runId' in value && 'outcome' in value ? value : undefined;
}
