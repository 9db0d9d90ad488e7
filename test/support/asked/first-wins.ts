/**
 * JSON read with eyes of its own: numbers keep their text, and of a key given twice the first value counts, which is
 * what the views promise and `JSON.parse` does not do.
 */

export type Json = string | boolean | null | NumberText | readonly Json[] | ReadonlyMap<string, Json>;

export interface NumberText {
  readonly number: string;
}

interface Read {
  readonly value: Json;
  /** As it stands in the document. */
  readonly text: string;
}

/** The document's value at a path of keys, or undefined where there is none. */
export function at(document: string, ...path: readonly string[]): Read | undefined {
  let found: Read | undefined = { value: read(document), text: document };
  for (const key of path) found = found && memberOf(found, key);
  return found;
}

/** A string without its quotes, a number as written, true and false; undefined for anything else. */
export function scalarAt(document: string, ...path: readonly string[]): string | undefined {
  const value = at(document, ...path)?.value;
  if (typeof value === 'string') return value.replace(/\p{Cs}/gu, '?');
  if (typeof value === 'boolean') return String(value);
  return isNumber(value) ? value.number : undefined;
}

/** The text of a value that is not null. */
export function textAt(document: string, ...path: readonly string[]): string | undefined {
  const found = at(document, ...path);
  return found?.value === null ? undefined : found?.text;
}

/** The raw token of a scalar: quotes off, escapes left. */
export function tokenAt(document: string, ...path: readonly string[]): string | undefined {
  return textAt(document, ...path)?.replace(/^"(.*)"$/s, '$1');
}

function memberOf({ value, text }: Read, key: string): Read | undefined {
  if (!(value instanceof Map) || !value.has(key)) return undefined;
  const cursor = { text, at: 0 };
  let found: string | undefined;
  walkObject(cursor, (name, start) => {
    parse(cursor);
    if (name === key) found ??= text.slice(start, cursor.at);
  });
  return found === undefined ? undefined : { value: read(found), text: found };
}

function isNumber(value: Json | undefined): value is NumberText {
  return typeof value === 'object' && value !== null && 'number' in value;
}

interface Cursor {
  readonly text: string;
  at: number;
}

function read(text: string): Json {
  return parse({ text, at: 0 });
}

/** Of documents without white space between tokens. */
function parse(cursor: Cursor): Json {
  const { text, at: start } = cursor;
  if (text[start] === '{') {
    const members = new Map<string, Json>();
    walkObject(cursor, (name) => {
      const value = parse(cursor);
      if (!members.has(name)) members.set(name, value);
    });
    return members;
  }
  if (text[start] === '[') return parseArray(cursor);
  const scalar = /"(?:[^"\\]|\\.)*"|[^,\]}]+/sy;
  scalar.lastIndex = start;
  const token = scalar.exec(text)?.[0] ?? '';
  cursor.at += token.length;
  const value: unknown = JSON.parse(token);
  return typeof value === 'number' ? { number: token } : (value as string | boolean | null);
}

function parseArray(cursor: Cursor): Json[] {
  const elements: Json[] = [];
  cursor.at += 1;
  while (cursor.text[cursor.at] !== ']') {
    elements.push(parse(cursor));
    if (cursor.text[cursor.at] === ',') cursor.at += 1;
  }
  cursor.at += 1;
  return elements;
}

/** `member` finds the cursor at the value, and leaves it behind it. */
function walkObject(cursor: Cursor, member: (name: string, start: number) => void): void {
  cursor.at += 1;
  while (cursor.text[cursor.at] !== '}') {
    const name = parse(cursor);
    cursor.at += 1;
    member(String(name), cursor.at);
    if (cursor.text[cursor.at] === ',') cursor.at += 1;
  }
  cursor.at += 1;
}
