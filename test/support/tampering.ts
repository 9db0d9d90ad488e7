/**
 * Tampering in words. Objects have short names, with the number of their manifest: `M1` is a manifest, `B1` its batch
 * object, `E1a` and `Q1a` are its events and its quarantine of 9 March, and `E1b` and `Q1b` are those of 10 March. `A1` is an
 * anchor of that manifest. These are of the team `main`; `other:M1` is the same object of the team `other`.
 */
import { type Anchor, encodeAnchor } from '../../lambdas/shared/anchor';
import { keyId } from '../../lambdas/shared/dsse';
import { type Manifest, sha256 } from '../../lambdas/shared/manifest';
import { batchKey, manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { NO_COUNTS } from '../../lambdas/verifier/chain-counts';
import type { Scope } from '../../lambdas/verifier/scope';
import { ATTEMPT, type Objects, testKey } from './archive-builder';

const KEYS: Readonly<Record<string, string>> = Object.fromEntries(
  [1, 2, 3, 4, 5].flatMap((seq) =>
    ['main', 'other'].flatMap((team) => {
      const prefix = team === 'main' ? '' : `${team}:`;
      return [
        [`${prefix}M${seq}`, manifestKey(team, seq)],
        [`${prefix}B${seq}`, batchKey(team, seq, ATTEMPT)],
        [`${prefix}E${seq}a`, segmentKey('events', team, '2026-03-09', seq)],
        [`${prefix}E${seq}b`, segmentKey('events', team, '2026-03-10', seq)],
        [`${prefix}Q${seq}a`, segmentKey('quarantine', team, '2026-03-09', seq)],
        [`${prefix}Q${seq}b`, segmentKey('quarantine', team, '2026-03-10', seq)],
      ];
    }),
  ),
);
const NAMES = new Map(Object.entries(KEYS).map(([name, key]) => [key, name]));

/** The key of an object with a short name. Any other text is a key itself. */
export function keyOf(name: string): string {
  return KEYS[name] ?? name;
}

/** Findings as `code object`, with short names. */
export function shortened(findings: readonly { readonly code: string; readonly object: string }[]): string[] {
  const nameOf = (key: string) => NAMES.get(key) ?? key.replace(/^anchors\/team=main\/0*(\d+)-.*/, 'A$1');
  return findings.map(({ code, object }) => `${code} ${nameOf(object)}`);
}

/** Reads `code object object, code object` as the findings that it lists; an empty text lists none. */
export function listed(findings: string): string[] {
  return findings.split(', ').flatMap((words) => {
    const [code, ...objects] = words.split(' ');
    return objects.map((object) => `${code} ${object}`);
  });
}

export function read(objects: Objects, name: string): Buffer {
  const bytes = objects.get(keyOf(name));
  if (bytes === undefined) throw new Error(`there is no ${name}`);
  return bytes;
}

/** Performs deeds such as `remove M2 E2b, copy M3 M4`. */
export function perform(objects: Objects, deeds: string): void {
  for (const deed of deeds.split(', ')) {
    const [verb = '', ...names] = deed.split(' ');
    if (VERBS[verb] === undefined) throw new Error(`there is no verb ${verb}`);
    VERBS[verb](objects, names);
  }
}

const VERBS: Readonly<Record<string, (objects: Objects, names: readonly string[]) => void>> = {
  remove(objects, names) {
    for (const name of names) if (!objects.delete(keyOf(name))) throw new Error(`there is no ${name}`);
  },
  copy(objects, [from = '', to = '']) {
    objects.set(keyOf(to), read(objects, from));
  },
  swap(objects, [one = '', other = '']) {
    const bytes = read(objects, one);
    objects.set(keyOf(one), read(objects, other));
    objects.set(keyOf(other), bytes);
  },
  'remove-team'(objects, [team]) {
    for (const key of objects.keys()) if (key.includes(`/team=${team}/`)) objects.delete(key);
  },
  /** Removes all objects that the manifests with these numbers list. */
  lose(objects, seqs) {
    for (const key of objects.keys()) {
      if (!key.startsWith('manifests/') && seqs.includes(seqOf(key))) objects.delete(key);
    }
  },
  /** Removes every manifest after this number, with its objects. */
  'cut-after'(objects, [seq]) {
    for (const key of objects.keys()) if (Number(seqOf(key)) > Number(seq)) objects.delete(key);
  },
};

function seqOf(key: string): string {
  return String(Number(/\/(\d{10})[.-]/.exec(key)?.[1]));
}

export function payloadOf(objects: Objects, name: string): Buffer {
  return Buffer.from(JSON.parse(String(read(objects, name))).payload, 'base64');
}

export function payloadHash(objects: Objects, name: string): string {
  return sha256(payloadOf(objects, name));
}

export function editEnvelope(objects: Objects, name: string, change: (envelope: object) => object): void {
  const envelope = change(JSON.parse(String(read(objects, name))));
  objects.set(keyOf(name), Buffer.from(`${JSON.stringify(envelope)}\n`));
}

/** The order of the group of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The same envelope with the other signature (r, n - s), which anybody can make and openssl accepts. */
export function withOtherS(envelope: Buffer): Buffer {
  const { sig } = JSON.parse(String(envelope)).signatures[0];
  const der = Buffer.from(sig, 'base64');
  const startOfS = 4 + der.readUInt8(3);
  const s = BigInt(`0x${der.toString('hex', startOfS + 2)}`);
  const integer = (ORDER - s).toString(16).padStart(64, '0');
  const signed = `00${integer}`.replace(/^(?:00(?=[0-7]))+/, '');
  const body = Buffer.from(`${der.toString('hex', 2, startOfS)}02${lengthOf(signed)}${signed}`, 'hex');
  const bent = Buffer.concat([Buffer.of(0x30, body.length), body]).toString('base64');
  return Buffer.from(String(envelope).replace(sig, bent));
}

function lengthOf(hex: string): string {
  return (hex.length / 2).toString(16).padStart(2, '0');
}

/** Changes the payload, and leaves the signature as it was. */
export function editPayload(objects: Objects, name: string, change: (manifest: Manifest) => Manifest): void {
  const manifest: Manifest = JSON.parse(String(payloadOf(objects, name)));
  const payload = Buffer.from(JSON.stringify(change(manifest))).toString('base64');
  editEnvelope(objects, name, (envelope) => ({ ...envelope, payload }));
}

/** The anchor of a verification that came to this manifest, with these facts changed. */
export function anchorOf(objects: Objects, name: string, facts: Partial<Anchor> = {}) {
  const { team, seq, run }: Manifest = JSON.parse(String(payloadOf(objects, name)));
  return encodeAnchor({
    ...{ team, seq, sha256: payloadHash(objects, name), keyid: keyId(testKey), verifiedAt: run.finished },
    scope: { after: 0, through: 0, sha256: null, roundBegan: run.finished },
    inventory: [],
    counts: NO_COUNTS,
    versions: { hidden: 0, several: 0 },
    ...facts,
  });
}

/** Reads `2-4` as the range of these manifests, `keys 2-4` as the range without bytes, and a date as a period of one day. */
export function partOf(objects: Objects, text: string): Scope {
  if (text.startsWith('2026-')) return { kind: 'period', from: text, to: text };
  const [first = 0, through = 0] = text.replace('keys ', '').split('-').map(Number);
  const after = first === 1 ? null : { seq: first - 1, sha256: payloadHash(objects, `M${first - 1}`) };
  return { kind: 'range', team: 'main', after, through, depth: text.startsWith('keys') ? 'keys' : 'bytes' };
}
