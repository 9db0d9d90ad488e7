import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startLambdaProcess } from '../../local/lambda-process';
import { scratch } from '../support/scratch';

const opened: { close(): Promise<void> }[] = [];
let bundles = 0;

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

/** A bundle as esbuild writes it: CommonJS with `exports.handler`. */
function bundleOf(handler: string, before = ''): string {
  bundles += 1;
  const file = join(scratch, `bundle-${bundles}.js`);
  writeFileSync(file, `${before};exports.handler = ${handler};`);
  return file;
}

async function start(handler: string, { before = '', environment = {} } = {}) {
  const lines: string[] = [];
  const lambda = await startLambdaProcess(bundleOf(handler, before), environment, (line) => lines.push(line));
  opened.push(lambda);
  return { ...lambda, lines };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
}

test('one warm process serves several invocations, each with its own event, request id and deadline', async () => {
  const handler = `async (event, context) => {
    const { awsRequestId: id, getRemainingTimeInMillis } = context;
    return { event, id, count: (count += 1), pid: process.pid, left: getRemainingTimeInMillis() };
  }`;
  const { invoke, pid } = await start(handler, { before: 'let count = 0' });
  const event = { team: 'main', nested: [1, null, 'ü'] };
  const results = [await invoke(event, 60_000), await invoke(event, 900_000)];
  const [first, second] = results.map((each) => (each.ok ? each.result : {})) as Record<string, unknown>[];
  expect([first, second]).toMatchObject([
    { event, count: 1, pid },
    { event, count: 2, pid },
  ]);
  expect(first?.id).not.toBe(second?.id);
  expect(Number(first?.left)).toBeLessThanOrEqual(60_000);
  expect(Number(second?.left)).toBeGreaterThan(60_000);
});

test('the handler sees only PATH, the folder of its code, and the environment that it was given', async () => {
  const { invoke } = await start('async () => process.env', { environment: { ARCHIVE_BUCKET: 'archive' } });
  const seen = await invoke({}, 60_000);
  expect(seen.ok && seen.result).toEqual({
    ARCHIVE_BUCKET: 'archive',
    LAMBDA_TASK_ROOT: scratch,
    PATH: process.env.PATH,
  });
});

test.each<[string, string, string, object]>([
  [
    'throws an error',
    'async () => { throw Object.assign(new Error("refused"), { name: "api-key-refused" }); }',
    '',
    { name: 'api-key-refused', message: 'refused' },
  ],
  ['throws no error but a text', 'async () => { throw "text"; }', '', { name: 'Error', message: 'text' }],
  ['throws nothing at all', 'async () => { throw undefined; }', '', { name: 'Error', message: 'undefined' }],
  ['cannot be loaded', 'async () => 1', 'throw new Error("broken")', { name: 'Error', message: 'broken' }],
])('a handler that %s fails each invocation with the reason', async (_, handler, before, error) => {
  const { invoke } = await start(handler, { before });
  expect(await invoke({}, 60_000)).toMatchObject({ ok: false, error });
  expect(await invoke({}, 60_000)).toMatchObject({ ok: false, error });
});

test('every log line of both streams arrives in order before the invocation ends', async () => {
  const { invoke, lines } = await start(`async () => {
    console.log('END RequestId: other {}');
    for (let n = 0; n < 5000; n += 1) (n % 2 ? console.error : console.log)(n);
    process.stdout.write('no line end');
  }`);
  const printed = ['END RequestId: other {}', ...[...Array(5000).keys()].map(String), 'no line end'];
  await invoke({}, 60_000);
  expect(lines).toEqual(printed);
  await invoke({}, 60_000);
  expect(lines).toEqual([...printed, ...printed]);
});

test.each([
  'async () => { for (;;); }',
  '() => new Promise(() => {})',
])('the handler %s is killed at its timeout', async (handler) => {
  const { invoke, close, pid } = await start(handler);
  expect(await invoke({}, 300)).toMatchObject({ ok: false, error: { name: 'Sandbox.Timedout' } });
  expect(isAlive(pid)).toBe(false);
  await close();
});

test('a handler that ends its process has failed, and its last lines are delivered', async () => {
  const { invoke, lines } = await start(
    '() => new Promise(() => setImmediate(() => { throw new Error("unhandled"); }))',
  );
  const error = { name: 'Runtime.ExitError', message: expect.stringContaining('status 1') };
  expect(await invoke({}, 60_000)).toMatchObject({ ok: false, error });
  expect(lines.join('\n')).toContain('Error: unhandled');
});

test('the handler does not outlive a starter that is killed', async () => {
  const module = join(import.meta.dirname, '../../local/lambda-process.ts');
  const starter = `
    const { startLambdaProcess } = await import(${JSON.stringify(module)});
    const lambda = await startLambdaProcess(${JSON.stringify(bundleOf('() => new Promise(() => {})'))}, {});
    lambda.invoke({}, 60_000);
    console.log(lambda.pid);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', starter]);
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
});
