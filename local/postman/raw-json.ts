/** White space put between the tokens of a minified JSON text, without reading a single value. */

/** Strings whole, so that nothing inside one passes for a token. */
const TOKEN = /"[^"\\]*(?:\\.[^"\\]*)*"|[{}[\],:]/gs;

/** Uses white space of every kind that JSON allows. Throws where a string has very many escapes (megabytes). */
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
