import { openScreen, say } from '../../../cli/demo/screen';

function said(width: number, text: string, first: string): string {
  const printed: string[] = [];
  say({ width, print: (line) => printed.push(line) }, text, first);
  return printed.join('\n');
}

test('a paragraph is wrapped at the width, and its later lines begin below the first word', () => {
  expect(said(20, 'one two three four five', 'A  ')).toBe('A  one two three\n   four five');
  expect(
    said(200, 'x '.repeat(150).trim(), '')
      .split('\n')
      .map((line) => line.length),
  ).toEqual([99, 99, 99]);
});

test('a word that is longer than the width is not broken', () => {
  expect(said(10, 'see .archive/demo/bucket now', '  ')).toBe('  see\n  .archive/demo/bucket\n  now');
});

test('the width is that of the terminal, and 80 where there is none', () => {
  expect(openScreen({ isTTY: true, columns: 132 }).width).toBe(132);
  expect(openScreen({ isTTY: true, columns: 0 }).width).toBe(80);
  expect(openScreen({ isTTY: false, columns: 132 }).width).toBe(80);
});
