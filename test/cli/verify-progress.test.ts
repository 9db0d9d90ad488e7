import { PassThrough } from 'node:stream';
import { withProgress } from '../../cli/verify';
import { readerOf } from '../support/archive-builder';

const KEYS = ['a', 'b', 'c', 'd'];

/** What is shown while all objects but the last are read. */
async function shown({ isTTY, afterMs }: { readonly isTTY: boolean; readonly afterMs: number }): Promise<string> {
  const output = Object.assign(new PassThrough(), { isTTY, cursorTo: () => true, clearLine: () => true });
  const reader = readerOf(new Map(KEYS.map((key) => [key, Buffer.from(key)])));
  const { archive, end } = withProgress(reader, output as unknown as NodeJS.WriteStream, afterMs);
  expect(await archive.list('')).toEqual(KEYS);
  for (const key of KEYS.slice(0, 3)) expect(String(await archive.get(key))).toBe(key);
  end();
  return String(output.read() ?? '');
}

test('a long verification shows on a terminal how many of its objects were read', async () => {
  expect(await shown({ isTTY: true, afterMs: 0 })).toContain('75%  3 of 4 objects');
});

test('a short verification, and one without a terminal, shows nothing', async () => {
  expect(await shown({ isTTY: true, afterMs: 60_000 })).toBe('');
  expect(await shown({ isTTY: false, afterMs: 0 })).toBe('');
});
