/**
 * An index in memory of the archived lines of one area, by date and identity. It needs about 130 bytes for each line. A date may
 * be forgotten only when all its lines are committed and published, because they can then be read again.
 */
import { sha256 } from '../shared/manifest';

export interface LineIndex {
  add(date: string, identity: string, line: Buffer): void;
  /** The digest of the line with this identity. */
  find(identity: string): number | undefined;
  identitiesOf(date: string): ReadonlySet<string>;
  forgetBefore(date: string): void;
}

export function createLineIndex(): LineIndex {
  const digests = new Map<string, number>();
  const dates = new Map<string, Set<string>>();

  function add(date: string, identity: string, line: Buffer): void {
    digests.set(identity, lineDigest(line));
    const identities = dates.get(date) ?? new Set();
    dates.set(date, identities.add(identity));
  }

  function forgetBefore(date: string): void {
    const forgotten = [...dates].filter(([known]) => known < date);
    for (const [known] of forgotten) dates.delete(known);
    const others = [...dates.values()];
    for (const identity of forgotten.flatMap(([, identities]) => [...identities]))
      if (!others.some((identities) => identities.has(identity))) digests.delete(identity);
  }

  return {
    add,
    find: (identity) => digests.get(identity),
    identitiesOf: (date) => new Set(dates.get(date)),
    forgetBefore,
  };
}

/** 48 bits are enough to notice another body of the same id. The ids themselves are compared completely. */
export function lineDigest(line: Buffer): number {
  return Number.parseInt(sha256(line).slice(0, 12), 16);
}
