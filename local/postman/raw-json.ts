/** Puts white space between the tokens of a JSON text without reading any value. */

/** A string is one token, so that a bracket or a comma inside of it is not taken for one. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;

/** Uses every kind of white space that JSON allows. Throws where a string has megabytes of escapes. */
export function prettyPrint(json: string): string {
  let depth = 0;
  return json.replace(TOKEN, (token) => {
    if (token === '{' || token === '[') return `${token}${newLine(++depth)}`;
    if (token === '}' || token === ']') return `${newLine(--depth)}${token}`;
    if (token === ',') return `,${newLine(depth)}`;
    return token === ':' ? ' : ' : token;
  });
}

function newLine(depth: number): string {
  return depth % 2 === 0 ? `\n${'  '.repeat(depth)}` : '\r\n\t';
}
