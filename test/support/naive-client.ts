/**
 * The simplest client of the audit-log API. It follows cursors until there is none, and cuts the events out of the text
 * by hand. It shares no code with the archiver, so that one cannot hide an error of the other.
 */

export interface Walked {
  /** The text of each event as it came, in the same order. */
  readonly events: readonly string[];
  readonly pages: number;
}

export type Ask = (query: Readonly<Record<string, string>>) => Promise<string> | string;

export async function walk(ask: Ask, query: Readonly<Record<string, string>>, maxPages = 10_000): Promise<Walked> {
  const events: string[] = [];
  let cursor: string | undefined;
  for (let pages = 1; pages <= maxPages; pages += 1) {
    const body = await ask(cursor === undefined ? query : { ...query, cursor });
    events.push(...trailsOf(body));
    cursor = cursorOf(body);
    if (cursor === undefined) return { events, pages };
  }
  throw new Error(`no end after ${maxPages} pages`);
}

/** The token instead of the value, because a number above 2^53 must be sent back as it came. */
export function cursorOf(body: string): string | undefined {
  const envelope = body.slice(body.lastIndexOf(']') + 1);
  const token = /"nextCursor"\s*:\s*("[^"]*"|[^\s,}]+)/.exec(envelope)?.[1]?.replaceAll('"', '');
  return token === undefined || ['', 'null'].includes(token) ? undefined : token;
}

/** The texts of the first array of objects in a body. */
export function trailsOf(body: string): string[] {
  const texts: string[] = [];
  let [depth, start, inString] = [0, 0, false];
  for (let at = body.indexOf('[') + 1; at < body.length; at += 1) {
    const sign = body[at];
    if (inString && sign === '\\') at += 1;
    else if (sign === '"') inString = !inString;
    else if (!inString && (sign === '{' || sign === '[')) {
      if (depth === 0) start = at;
      depth += 1;
    } else if (!inString && (sign === '}' || sign === ']')) {
      if (depth === 0) return texts;
      depth -= 1;
      if (depth === 0) texts.push(body.slice(start, at + 1));
    }
  }
  return texts;
}

/** The text without white space between tokens; strings stay whole. */
export function minified(json: string): string {
  return json.replace(/("(?:[^"\\]|\\.)*")|\s+/g, '$1');
}
