/**
 * The event ids that a chain has archived. The index is an open-addressed table, because a chain may hold millions of them.
 * Each slot has 20 bytes: 96 bits that stand for the id, the `seq` of the manifest that archived it, and the CRC-32 of its
 * line. The table is at most three quarters full, so an event takes 27 to 54 bytes, and half as much again while the table
 * doubles. A `Set` of strings takes more than twice as much and cannot hold more than 16.7 million ids.
 *
 * The 96 bits are the id itself where it is an integer such as Postman's. For any other id they are a part of its SHA-256. Among
 * 10 million such ids, two different ones look equal by chance in one of 10^15 archives. The CRC-32 tells a revision from a
 * copy of the archived line, and one of 4 billion revisions looks like a copy, as does one that somebody made for it. The result
 * is then a finding too many, never a finding too few: a copy always looks like one.
 */
import { randomInt } from 'node:crypto';
import { sha256Bytes } from '../shared/manifest';
import { checksum } from '../shared/segment';

const WORDS = 5;
const MAX_SEQ = 0xffff_ffff;
const WORD_RANGE = 2 ** 32;
/** It is another one in each process. Otherwise an adversary could choose ids that all belong to one place of the table. */
const SALT = randomInt(WORD_RANGE);

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
  const slot = new Uint32Array(WORDS);

  function grow(): void {
    const old = table;
    table = new Uint32Array(old.length * 2);
    for (let at = 0; at < old.length; at += WORDS) {
      if (old[at + 3] === 0) continue;
      for (let word = 0; word < WORDS; word += 1) slot[word] = old[at + word] ?? 0;
      table.set(slot, find(table, slot));
    }
  }

  return {
    add({ id, line }, seq) {
      setFingerprint(slot, id);
      const at = find(table, slot);
      if (table[at + 3] !== 0) return table[at + 3];
      // A free slot has the seq 0. A seq above 32 bits is cut, because it only serves the text of a finding.
      slot[3] = Math.min(Math.max(seq, 1), MAX_SEQ);
      slot[4] = checksum(line);
      table.set(slot, at);
      size += 1;
      if (size * WORDS > table.length * 0.75) grow();
      return undefined;
    },
    isRevision({ id, line }) {
      setFingerprint(slot, id);
      const at = find(table, slot);
      return table[at + 3] === 0 ? !isWhole : table[at + 4] !== checksum(line);
    },
    loseSome() {
      isWhole = false;
    },
  };
}

/** Such an integer has one text. That a SHA-256 looks like one of them is as unlikely as that two of them look equal. */
const INTEGER = /^[1-9]\d{0,14}$/;

function setFingerprint(slot: Uint32Array, id: string): void {
  if (INTEGER.test(id)) {
    const number = Number(id);
    slot[0] = number;
    slot[1] = Math.floor(number / WORD_RANGE);
    slot[2] = 0;
    return;
  }
  const digest = sha256Bytes(id);
  for (let word = 0; word < 3; word += 1) slot[word] = digest.readUInt32BE(word * 4);
}

/** The place of the fingerprint in the table, or of the free slot where it belongs. */
function find(table: Uint32Array, slot: Uint32Array): number {
  const [a, b, c] = [slot[0] ?? 0, slot[1] ?? 0, slot[2] ?? 0];
  const scattered = mix(mix(mix(SALT ^ a) ^ b) ^ c);
  // The number of slots is a power of two.
  let at = (scattered & (table.length / WORDS - 1)) * WORDS;
  while (table[at + 3] !== 0 && (table[at] !== a || table[at + 1] !== b || table[at + 2] !== c)) {
    at = (at + WORDS) % table.length;
  }
  return at;
}

/** Spreads each bit over the others. */
function mix(word: number): number {
  const product = Math.imul(word, 0x9e37_79b1);
  return product ^ (product >>> 15);
}
