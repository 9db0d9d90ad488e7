/**
 * White space between the tokens of a JSON text, put in or taken out without reading a single value: numbers, key
 * order, duplicate keys and escapes pass through as they are. For the world's own texts, which are well-formed.
 */

/** Takes out all white space between tokens: the form in which events are compared. */
export function minify(json: string): string {
  return replaceOutsideStrings(json, (token) => (' \t\r\n'.includes(token.charAt(0)) ? '' : token));
}

/** Puts white space of every kind JSON allows between tokens. */
export function prettyPrint(json: string): string {
  let depth = 0;
  return replaceOutsideStrings(minify(json), (token) => {
    if (token === '{' || token === '[') return `${token}${newLine(++depth)}`;
    if (token === '}' || token === ']') return `${newLine(--depth)}${token}`;
    return token === ',' ? `,${newLine(depth)}` : ' : ';
  });
}

function newLine(depth: number): string {
  return depth % 2 === 0 ? `\n${'  '.repeat(depth)}` : '\r\n\t';
}

function replaceOutsideStrings(json: string, change: (token: string) => string): string {
  const next = /["{}[\],:]|[ \t\r\n]+/g;
  const parts: string[] = [];
  let done = 0;
  for (let match = next.exec(json); match !== null; match = next.exec(json)) {
    // Strings are skipped by hand: an expression for them overflows the stack on one of 20 MB.
    if (match[0] === '"') {
      next.lastIndex = endOfString(json, match.index);
      continue;
    }
    parts.push(json.slice(done, match.index), change(match[0]));
    done = next.lastIndex;
  }
  return [...parts, json.slice(done)].join('');
}

function endOfString(json: string, start: number): number {
  let quote = json.indexOf('"', start + 1);
  while (quote !== -1 && isEscaped(json, quote)) quote = json.indexOf('"', quote + 1);
  if (quote === -1) throw new SyntaxError('a string without an end');
  return quote + 1;
}

function isEscaped(json: string, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === '\\') slashes += 1;
  return slashes % 2 === 1;
}
