/**
 * An index in memory of the archived lines of one area, by date and identity. It needs about 100 bytes for each line. A date may
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
  const dates = new Map<string, Map<string, number>>();

  function add(date: string, identity: string, line: Buffer): void {
    const lines = dates.get(date) ?? new Map<string, number>();
    dates.set(date, lines.set(identity, lineDigest(line)));
  }

  function find(identity: string): number | undefined {
    for (const lines of dates.values()) {
      const digest = lines.get(identity);
      if (digest !== undefined) return digest;
    }
    return undefined;
  }

  function forgetBefore(date: string): void {
    for (const known of dates.keys()) if (known < date) dates.delete(known);
  }

  return { add, find, identitiesOf: (date) => new Set(dates.get(date)?.keys()), forgetBefore };
}

/** 48 bits are enough to notice another body of the same id. The ids themselves are compared completely. */
export function lineDigest(line: Buffer): number {
  return Number.parseInt(sha256(line).slice(0, 12), 16);
}
