/**
 * An index in memory of the archived lines of one area, by date and identity. It needs about 100 bytes for each line. A date may
 * be forgotten only when all its lines are committed and published, because they can then be read again.
 */
import { hash } from 'node:crypto';

export interface LineIndex {
  add(date: string, identity: string, line: Buffer): void;
  /** The digest of the line with this identity. */
  find(identity: string): number | undefined;
  identitiesOf(date: string): ReadonlySet<string>;
  forgetBefore(date: string): void;
}

export function createLineIndex(): LineIndex {
  const digests = new Map<string, number>();
  /** An array needs a tenth of the memory of a set, and a large day has many lines. */
  const dates = new Map<string, string[]>();
  /** How often an identity was added again, which is rare. */
  const again = new Map<string, number>();

  function add(date: string, identity: string, line: Buffer): void {
    const before = digests.size;
    digests.set(identity, lineDigest(line));
    if (digests.size === before) again.set(identity, (again.get(identity) ?? 0) + 1);
    const identities = dates.get(date);
    if (identities === undefined) dates.set(date, [identity]);
    else identities.push(identity);
  }

  function forget(identity: string): void {
    const more = again.get(identity) ?? 0;
    if (more === 0) digests.delete(identity);
    else again.set(identity, more - 1);
  }

  function forgetBefore(date: string): void {
    for (const [known, identities] of dates) {
      if (known >= date) continue;
      dates.delete(known);
      identities.forEach(forget);
    }
  }

  return {
    add,
    find: (identity) => digests.get(identity),
    identitiesOf: (date) => new Set(dates.get(date)),
    forgetBefore,
  };
}

/**
 * 48 bits of SHA-256 tell another body of the same id from the archived one. Whoever wants to forge a body with the digest of a
 * given one must try about 2^48 bodies. The ids themselves are compared completely. Node.js returns a digest fastest as a text
 * with one character for each byte.
 */
export function lineDigest(line: Buffer): number {
  const bytes = hash('sha256', line, 'binary');
  let bits = 0;
  for (let at = 0; at < 6; at += 1) bits = bits * 256 + bytes.charCodeAt(at);
  return bits;
}
