/** A number with its noun, such as "1 row" and "1,200 rows". */
export function plural(number: number, noun: string): string {
  return `${number.toLocaleString('en')} ${noun}${number === 1 ? '' : 's'}`;
}
