import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startDynamoDb } from '../../local/dynamodb';
import { lockFolder } from '../../local/level';

const folder = mkdtempSync(join(tmpdir(), 'level-'));
afterAll(() => rmSync(folder, { recursive: true }));

test('a folder that a process has locked is refused with a sentence until that process is killed', async () => {
  const module = join(import.meta.dirname, '../../local/level.ts');
  const holder = `
    const { lockFolder } = await import(${JSON.stringify(module)});
    await lockFolder(${JSON.stringify(folder)});
    console.log('locked');
    setInterval(() => undefined, 1000);`;
  const child = spawn(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', holder]);
  await once(child.stdout, 'data');
  const refused = expect.stringMatching(/^another "audit-archive local" is working in .*: wait until .*--data$/);
  await expect(lockFolder(folder)).rejects.toMatchObject({ message: refused });
  child.kill('SIGKILL');
  await once(child, 'exit');
  await (await lockFolder(folder)).close();
});

test('a checkpoint folder that a full disk has left damaged is begun anew', async () => {
  const damaged = join(folder, 'checkpoint');
  await (await startDynamoDb('checkpoints', damaged)).close();
  writeFileSync(join(damaged, 'CURRENT'), '');
  await (await startDynamoDb('checkpoints', damaged)).close();
});
