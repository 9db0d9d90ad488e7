import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { awsEnvironment, type HostOptions, startHost } from '../../local/lambda-process';

const folder = mkdtempSync(join(tmpdir(), 'host-'));
const opened: { close(): Promise<void> }[] = [];
let bundles = 0;

/** A bundle as esbuild would leave it: CommonJS, `exports.handler`. */
function bundleOf(handler: string, before = ''): string {
  bundles += 1;
  const file = join(folder, `bundle-${bundles}.js`);
  writeFileSync(file, `${before};exports.handler = ${handler};`);
  return file;
}

async function hostOf(
  handler: string,
  {
    environment = {},
    before = '',
    ...options
  }: Partial<HostOptions> & { environment?: Record<string, string>; before?: string } = {},
) {
  const lines: string[] = [];
  const host = await startHost(bundleOf(handler, before), environment, {
    onLine: (line) => lines.push(line),
    ...options,
  });
  opened.push(host);
  return { ...host, lines };
}

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function until(condition: () => boolean): Promise<void> {
  for (const deadline = Date.now() + 10_000; !condition(); ) {
    if (Date.now() > deadline) throw new Error('waited in vain');
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

afterEach(async () => {
  for (const one of opened.splice(0)) await one.close();
});

afterAll(() => rmSync(folder, { recursive: true }));

test('hands the event over and the result back', async () => {
  const { invoke } = await hostOf('async (event) => ({ echoed: event, extra: undefined })');
  const event = { team: 'main', nested: [1, null, 'ü'] };
  expect(await invoke(event, 5000)).toMatchObject({ ok: true, result: { echoed: event } });
});

test('a handler that returns nothing is a good end', async () => {
  const { invoke } = await hostOf('async () => {}');
  expect((await invoke({}, 5000)).ok).toBe(true);
});

test('hands over the name, code and message of what the handler throws', async () => {
  const { invoke } = await hostOf(`async () => {
    throw Object.assign(new Error('the key was refused'), { name: 'ConfigError', code: 'api-key-refused' });
  }`);
  const error = { name: 'ConfigError', code: 'api-key-refused', message: 'the key was refused' };
  expect(await invoke({}, 5000)).toMatchObject({ ok: false, error });
});

test.each(['undefined', '"text"', 'null'])('even a handler that throws %s has failed', async (thrown) => {
  const { invoke } = await hostOf(`async () => { throw ${thrown}; }`);
  expect(await invoke({}, 5000)).toMatchObject({
    ok: false,
    error: { name: 'Error', message: thrown.replaceAll('"', '') },
  });
});

test('a bundle that cannot be loaded fails each invocation with the reason', async () => {
  const { invoke } = await hostOf('async () => 1', { before: 'throw new Error("environment-invalid")' });
  expect(await invoke({}, 5000)).toMatchObject({ ok: false, error: { message: 'environment-invalid' } });
  expect(await invoke({}, 5000)).toMatchObject({ ok: false, error: { message: 'environment-invalid' } });
});

test('one warm process serves several invocations, each with its own request id and deadline', async () => {
  const { invoke, pid } = await hostOf(
    `async (_event, context) => ({
      pid: process.pid,
      count: (count += 1),
      id: context.awsRequestId,
      name: context.functionName,
      left: context.getRemainingTimeInMillis(),
    })`,
    { before: 'let count = 0', functionName: 'archiver' },
  );
  const [first, second] = [await invoke({}, 60_000), await invoke({}, 900_000)].map((outcome) =>
    outcome.ok ? outcome.result : outcome,
  ) as [Record<string, unknown>, Record<string, unknown>];
  expect(first).toMatchObject({ pid, count: 1, name: 'archiver' });
  expect(second).toMatchObject({ pid, count: 2, name: 'archiver' });
  expect(first.id).not.toBe(second.id);
  expect(Number(first.left)).toBeGreaterThan(50_000);
  expect(Number(first.left)).toBeLessThanOrEqual(60_000);
  expect(Number(second.left)).toBeGreaterThan(800_000);
});

test('the handler sees only the environment it was given, and PATH', async () => {
  const { invoke } = await hostOf('async () => process.env', { environment: { ARCHIVE_BUCKET: 'archive' } });
  const outcome = await invoke({}, 5000);
  expect(outcome.ok && outcome.result).toEqual({ ARCHIVE_BUCKET: 'archive', PATH: process.env.PATH });
});

test('the AWS environment points at the local servers and away from the machine’s own settings', () => {
  const urls = { s3: 'http://127.0.0.1:1', dynamodb: 'http://127.0.0.1:2', ssm: 'http://127.0.0.1:3' };
  expect(awsEnvironment(urls, 'key')).toMatchObject({
    AWS_ACCESS_KEY_ID: 'key',
    AWS_ENDPOINT_URL_S3: urls.s3,
    AWS_ENDPOINT_URL_DYNAMODB: urls.dynamodb,
    AWS_ENDPOINT_URL_SSM: urls.ssm,
    AWS_CONFIG_FILE: expect.not.stringContaining('.aws'),
  });
});

test('every log line, on either stream, arrives in order before the invocation ends', async () => {
  const { invoke, lines } = await hostOf(`async ({ from }) => {
    for (let n = from; n < from + 5000; n += 1) (n % 2 ? console.error : console.log)(JSON.stringify({ n }));
    process.stdout.write('no line end');
  }`);
  for (const from of [0, 5000]) {
    lines.length = 0;
    await invoke({ from }, 20_000);
    expect(lines).toEqual([...[...Array(5000).keys()].map((n) => `{"n":${from + n}}`), 'no line end']);
  }
});

test('a line that only looks like the end of an invocation is a log line', async () => {
  const { invoke, lines } = await hostOf('async () => { console.log("END RequestId: other {}"); return 1; }');
  expect(await invoke({}, 5000)).toMatchObject({ ok: true, result: 1 });
  expect(lines).toEqual(['END RequestId: other {}']);
});

const onLinux = existsSync('/proc/self/status') ? test : test.skip;

onLinux('tells the peak memory of the handler’s own process', async () => {
  const { invoke } = await hostOf('async ({ megabytes }) => Buffer.alloc(megabytes * 2 ** 20, 1).length');
  const small = await invoke({ megabytes: 1 }, 5000);
  const large = await invoke({ megabytes: 200 }, 5000);
  const after = await invoke({ megabytes: 1 }, 5000);
  expect(small.vmHwmKb).toBeGreaterThan(20_000);
  expect(Number(large.vmHwmKb) - Number(small.vmHwmKb)).toBeGreaterThan(190_000);
  expect(after.vmHwmKb).toBeGreaterThanOrEqual(Number(large.vmHwmKb));
});

test('a handler past its timeout is killed', async () => {
  const { invoke, pid } = await hostOf('() => new Promise(() => {})');
  expect(await invoke({}, 200)).toMatchObject({ ok: false, error: { name: 'Sandbox.Timedout' } });
  expect(isAlive(pid)).toBe(false);
});

test('a busy loop is killed at its timeout, too', async () => {
  const { invoke } = await hostOf('async () => { for (;;); }');
  expect(await invoke({}, 300)).toMatchObject({ ok: false, error: { name: 'Sandbox.Timedout' } });
});

test('SIGKILL of the process group in mid-run ends the run, what it started, and every later invocation', async () => {
  const { invoke, pid, lines } = await hostOf(`async () => {
    console.log(require('node:child_process').spawn('sleep', ['60']).pid);
    await new Promise(() => {});
  }`);
  const running = invoke({}, 60_000);
  await until(() => lines.length > 0);
  const grandchild = Number(lines[0]);
  expect(isAlive(grandchild)).toBe(true);
  process.kill(-pid, 'SIGKILL');
  const error = { name: 'Runtime.ExitError', message: expect.stringContaining('SIGKILL') };
  expect(await running).toMatchObject({ ok: false, error });
  expect(await invoke({}, 5000)).toMatchObject({ ok: false, error });
  await until(() => !isAlive(grandchild));
});

test('a handler that ends its process has failed, and what it said last is delivered', async () => {
  const { invoke, lines } = await hostOf(
    'async () => { setImmediate(() => { throw new Error("unhandled"); }); await new Promise(() => {}); }',
  );
  const outcome = await invoke({}, 5000);
  expect(outcome).toMatchObject({
    ok: false,
    error: { name: 'Runtime.ExitError', message: expect.stringContaining('1') },
  });
  expect(lines.join('\n')).toContain('Error: unhandled');
});

test('close ends an idle process, and may be called again', async () => {
  const { invoke, close, pid } = await hostOf('async () => 1');
  await invoke({}, 5000);
  await close();
  await close();
  expect(isAlive(pid)).toBe(false);
});

test('the handler does not outlive a killed starter', async () => {
  const starter = `
    const { startHost } = await import(${JSON.stringify(join(import.meta.dirname, '../../local/lambda-process.ts'))});
    const host = await startHost(${JSON.stringify(bundleOf('() => new Promise(() => {})'))}, {});
    host.invoke({}, 60_000);
    console.log(host.pid);`;
  const parent = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', starter]);
  const pid = await new Promise<number>((resolve) => parent.stdout.once('data', (text) => resolve(Number(text))));
  expect(isAlive(pid)).toBe(true);
  parent.kill('SIGKILL');
  await until(() => !isAlive(pid));
});
