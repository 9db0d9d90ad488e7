/** Texts for people. */

/** Without this mark, Excel does not read a CSV file as UTF-8. */
export const UTF8_MARK = '\ufeff';

/** A number with commas between its thousands. */
export function figure(number: number): string {
  return number.toLocaleString('en');
}

/** A number with its noun, such as "1 row" and "1,200 rows". */
export function plural(number: number, noun: string, nouns = `${noun}s`): string {
  return `${figure(number)} ${number === 1 ? noun : nouns}`;
}

/** An adversary may have chosen the text. No control character in it reaches a terminal or a mail. */
export function asciiOnly(text: string): string {
  return text.replace(/[^ -~]/gu, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);
}
