/**
 * DSSE envelopes (secure-systems-lab/dsse v1) with one ECDSA P-256 / SHA-256 signature. The signature covers the payload's
 * bytes and type (PAE), so no canonical form of JSON is needed, and anybody can check it with jq, base64 and openssl. Only the
 * pinned key is used: the envelope's own `keyid` never selects a key.
 *
 * Only the exact bytes that `signEnvelope` writes are accepted as an envelope, so every changed byte is noticed. The one
 * exception is the signature: anybody can turn (r, s) into (r, n - s), which is as good. `signEnvelope` always writes the lower
 * `s`, and `hasLowS` tells the caller which of the two was found.
 */
import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import * as z from 'zod/mini';
import { tryParse } from './json';
import { sha256 } from './manifest';
import type { Signer } from './ports';

/** The order n of the group of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n;

/** The payload and the signature are base64. */
const envelopeSchema = z.object({
  payloadType: z.string(),
  payload: z.string(),
  signatures: z.tuple([z.object({ keyid: z.string(), sig: z.string() })]),
});

interface Envelope {
  readonly payloadType: string;
  readonly payload: Buffer;
  readonly keyid: string;
  readonly sig: Buffer;
}

/** Pre-authentication encoding: the bytes that the signature covers. */
export function pae(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload]);
}

/** Signs `payload`. Returns the bytes of the envelope, which is one line of JSON. */
export async function signEnvelope(payloadType: string, payload: Buffer, signer: Signer): Promise<Buffer> {
  const sig = withLowS(await signer.sign(pae(payloadType, payload)));
  return encode({ payloadType, payload, keyid: keyId(signer.publicKey), sig });
}

export type VerifiedEnvelope =
  | { readonly ok: true; readonly payload: Buffer; readonly hasLowS: boolean }
  | {
      readonly ok: false;
      readonly problem: 'not-an-envelope' | 'other-key' | 'bad-signature';
      readonly payload?: Buffer;
    };

/**
 * Reads an envelope and checks its signature with the pinned key. An adversary may have written the bytes, so every field is
 * checked before it is used. A signature by any other key is bad, whatever `keyid` the envelope claims.
 */
export function verifyEnvelope(bytes: Buffer, payloadType: string, publicKey: KeyObject): VerifiedEnvelope {
  const envelope = readEnvelope(bytes);
  if (envelope === undefined || envelope.payloadType !== payloadType) return { ok: false, problem: 'not-an-envelope' };
  const { payload, keyid, sig } = envelope;
  if (keyid !== keyId(publicKey)) return { ok: false, problem: 'other-key', payload };
  const isGood = verify('sha256', pae(payloadType, payload), { key: publicKey, dsaEncoding: 'der' }, sig);
  if (!isGood) return { ok: false, problem: 'bad-signature', payload };
  return { ok: true, payload, hasLowS: isLow(readS(sig).s) };
}

function isLow(s: bigint): boolean {
  return s <= ORDER / 2n;
}

/** The value of `s`, and where its token begins. DER: 30 <length> 02 <length> <r> 02 <length> <s>, each length in one byte. */
function readS(signature: Buffer): { readonly s: bigint; readonly start: number } {
  const start = 4 + signature.readUInt8(3);
  return { s: BigInt(`0x${signature.toString('hex', start + 2)}`), start };
}

function withLowS(signature: Buffer): Buffer {
  const { s, start } = readS(signature);
  if (isLow(s)) return signature;
  const lower = ORDER - s;
  // DER integers are signed: their first bit is 0 where the number is positive.
  const length = Math.floor(lower.toString(2).length / 8) + 1;
  const integer = Buffer.from(lower.toString(16).padStart(2 * length, '0'), 'hex');
  const body = Buffer.concat([signature.subarray(2, start), Buffer.of(2, length), integer]);
  return Buffer.concat([Buffer.of(0x30, body.length), body]);
}

/** Key ids are cached, because a chain has thousands of signatures and exporting a key is slower than checking one. */
const keyIds = new WeakMap<KeyObject, string>();

/** The `keyid`: SHA-256 of the public key's SPKI in DER, in lower-case hexadecimal. */
export function keyId(publicKey: KeyObject): string {
  const id = keyIds.get(publicKey) ?? sha256(publicKey.export({ type: 'spki', format: 'der' }));
  keyIds.set(publicKey, id);
  return id;
}

/** Reads a P-256 public key, which may also be that of a private key. Throws `TypeError` where it is anything else. */
export function readPublicKey(input: Parameters<typeof createPublicKey>[0]): KeyObject {
  try {
    const key = createPublicKey(input);
    if (key.asymmetricKeyType === 'ec' && key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
  } catch {
    // The message of OpenSSL (`DECODER routines::unsupported`) does not help the reader.
  }
  throw new TypeError('expected an ECDSA P-256 public key in PEM');
}

function readEnvelope(bytes: Buffer): Envelope | undefined {
  const { success, data } = z.safeParse(envelopeSchema, tryParse(bytes.toString('utf8')));
  if (!success) return undefined;
  const { payloadType, payload, signatures } = data;
  const [{ keyid, sig }] = signatures;
  const envelope = { payloadType, payload: Buffer.from(payload, 'base64'), keyid, sig: Buffer.from(sig, 'base64') };
  // The comparison refuses white space, further fields, duplicate keys, and other spellings of the same bytes in base64.
  return encode(envelope).equals(bytes) ? envelope : undefined;
}

function encode({ payloadType, payload, keyid, sig }: Envelope): Buffer {
  const signatures = [{ keyid, sig: sig.toString('base64') }];
  return Buffer.from(`${JSON.stringify({ payloadType, payload: payload.toString('base64'), signatures })}\n`);
}
