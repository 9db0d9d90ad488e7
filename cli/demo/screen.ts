/** Draws the texts of `npm start` for the width there is. A word is never broken, so a path or a command can be copied. */

export interface Screen {
  readonly print: (text: string) => void;
  /** In characters. */
  readonly width: number;
}

/** Longer lines are hard to read. */
const WIDEST_TEXT = 100;
/** Everything below the heading of a section begins with this. */
export const INDENT = ' '.repeat(9);
/** A file and a pipe have no width. */
const USUAL_WIDTH = 80;

export function openScreen(output: Pick<NodeJS.WriteStream, 'isTTY' | 'columns'>): Screen {
  return { print: console.log, width: (output.isTTY && output.columns) || USUAL_WIDTH };
}

/** Prints a paragraph. Its first line begins with `first`, and every other line with as many blanks. */
export function say({ print, width }: Screen, text: string, first = ''): void {
  const lines = [''];
  for (const word of text.split(/\s+/)) {
    const line = `${lines.at(-1)}${lines.at(-1) === '' ? '' : ' '}${word}`;
    if (line === word || first.length + line.length <= Math.min(width, WIDEST_TEXT)) lines[lines.length - 1] = line;
    else lines.push(word);
  }
  print(lines.map((line, index) => (index === 0 ? first : ' '.repeat(first.length)) + line).join('\n'));
}

/** Prints paragraphs after an empty line. The heading stands before the first of them. */
export function section(screen: Screen, heading: string, ...texts: readonly string[]): void {
  screen.print('');
  for (const [index, text] of texts.entries()) say(screen, text, index === 0 ? heading.padEnd(9) : INDENT);
}
