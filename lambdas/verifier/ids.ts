/**
 * Which event ids a chain has archived, for millions of them: 96 bits of each id's SHA-256 and the `seq` that archived
 * it, in an open-addressed table. 16 bytes a slot, at most three quarters full: 22 to 43 bytes an event, and half as
 * much again while the table doubles. A `Set` of strings takes three times that, and cannot hold more than 16.7 million.
 * Two ids in 10 million look equal by chance once in 10^15 archives, and then as a finding, never as a silence.
 */
import { createHash } from 'node:crypto';

const WORDS = 4;
const MAX_SEQ = 0xffff_ffff;

export interface IdIndex {
  /** Adds the id. The `seq` that had added it before, or undefined where it is new. */
  add(id: string, seq: number): number | undefined;
  has(id: string): boolean;
  /** Some ids could not be read: from now on any id may be one of them, and `has` says yes. */
  loseSome(): void;
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
    add(id, seq) {
      const slot = fingerprint(id);
      const at = find(table, slot);
      if (table[at + 3] !== 0) return table[at + 3];
      // A seq of 0 marks a free slot; one beyond 32 bits is not worth the memory.
      slot[3] = Math.min(Math.max(seq, 1), MAX_SEQ);
      table.set(slot, at);
      size += 1;
      if (size * WORDS > table.length * 0.75) grow();
      return undefined;
    },
    has: (id) => !isWhole || table[find(table, fingerprint(id)) + 3] !== 0,
    loseSome() {
      isWhole = false;
    },
  };
}

function fingerprint(id: string): Uint32Array {
  const digest = createHash('sha256').update(id).digest();
  return Uint32Array.of(digest.readUInt32LE(0), digest.readUInt32LE(4), digest.readUInt32LE(8), 0);
}

/** Where the fingerprint is, or the free slot where it belongs. */
function find(table: Uint32Array, [a = 0, b = 0, c = 0]: Uint32Array): number {
  let at = (a % (table.length / WORDS)) * WORDS;
  while (table[at + 3] !== 0 && (table[at] !== a || table[at + 1] !== b || table[at + 2] !== c)) {
    at = (at + WORDS) % table.length;
  }
  return at;
}
