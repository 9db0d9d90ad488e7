/**
 * The event ids that a chain has archived. The index is an open-addressed table, because a chain may hold millions of them.
 * Each slot has 20 bytes: 96 bits of the id's SHA-256, the `seq` of the manifest that archived it, and 32 bits of its line's
 * SHA-256. The table is at most three quarters full, so an event takes 27 to 54 bytes, and half as much again while the table
 * doubles. A `Set` of strings takes more than twice as much and cannot hold more than 16.7 million ids.
 *
 * Among 10 million ids, two different ones look equal by chance in one of 10^15 archives, and one of 4 billion revisions looks
 * like the archived line. The result is then a finding too many, never a finding too few.
 */
import { sha256Bytes } from '../shared/manifest';

const WORDS = 5;
const MAX_SEQ = 0xffff_ffff;

export interface IdIndex {
  /** Adds the event. Returns the `seq` with which its id was added before, or undefined where the id is new. */
  add(event: IdentifiedLine, seq: number): number | undefined;
  /** Whether the id was added with another line. */
  isRevision(event: IdentifiedLine): boolean;
  /** Call this when some ids could not be read. From then on any id that was not added may be one of them. */
  loseSome(): void;
}

interface IdentifiedLine {
  readonly id: string;
  readonly line: Buffer;
}

export function createIdIndex(): IdIndex {
  let table = new Uint32Array(WORDS * 1024);
  let size = 0;
  let isWhole = true;

  function grow(): void {
    const old = table;
    table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 3] === 0) continue;
      const slot = old.subarray(at, at + WORDS);
      table.set(slot, find(table, slot));
    }
  }

  return {
    add({ id, line }, seq) {
      const slot = fingerprint(id);
      const at = find(table, slot);
      if (table[at + 3] !== 0) return table[at + 3];
      // A free slot has the seq 0. A seq above 32 bits is cut, because it only serves the text of a finding.
      slot[3] = Math.min(Math.max(seq, 1), MAX_SEQ);
      slot[4] = bodyTag(line);
      table.set(slot, at);
      size += 1;
      if (size * WORDS > table.length * 0.75) grow();
      return undefined;
    },
    isRevision({ id, line }) {
      const at = find(table, fingerprint(id));
      return table[at + 3] === 0 ? !isWhole : table[at + 4] !== bodyTag(line);
    },
    loseSome() {
      isWhole = false;
    },
  };
}

function fingerprint(id: string): Uint32Array {
  const digest = sha256Bytes(Buffer.from(id));
  return Uint32Array.of(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), 0, 0);
}

function bodyTag(line: Buffer): number {
  return sha256Bytes(line).readUInt32LE(0);
}

/** The place of the fingerprint in the table, or of the free slot where it belongs. */
function find(table: Uint32Array, [a = 0, b = 0, c = 0]: Uint32Array): number {
  let at = (a % (table.length / WORDS)) * WORDS;
  while (table[at + 3] !== 0 && (table[at] !== a || table[at + 1] !== b || table[at + 2] !== c)) {
    at = (at + WORDS) % table.length;
  }
  return at;
}
