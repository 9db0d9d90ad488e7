/**
 * DSSE envelopes (secure-systems-lab/dsse v1) with one ECDSA P-256 / SHA-256 signature. The signature covers the payload's
 * bytes and type (PAE), so no canonical form of JSON is needed, and anybody can check it with jq, base64 and openssl. Only the
 * pinned key is used: the envelope's own `keyid` never selects a key.
 *
 * Only the exact bytes that `signEnvelope` writes are accepted as an envelope, so every changed byte is noticed.
 */
import { createHash, createPublicKey, type KeyObject, verify } from 'node:crypto';
import type { Signer } from './ports';

export interface Envelope {
  readonly payloadType: string;
  /** Base64 of the payload's bytes. */
  readonly payload: string;
  readonly signatures: readonly [{ readonly keyid: string; readonly sig: string }];
}

/** Pre-authentication encoding: the bytes that the signature covers. */
export function pae(payloadType: string, payload: Buffer): Buffer {
  const type = Buffer.from(payloadType);
  return Buffer.concat([Buffer.from(`DSSEv1 ${type.length} ${payloadType} ${payload.length} `), payload]);
}

/** Signs `payload`. Returns the bytes of the envelope, which is one line of JSON. */
export async function signEnvelope(payloadType: string, payload: Buffer, signer: Signer): Promise<Buffer> {
  const sig = await signer.sign(pae(payloadType, payload));
  return encode({
    payloadType,
    payload: payload.toString('base64'),
    signatures: [{ keyid: keyId(signer.publicKey), sig: sig.toString('base64') }],
  });
}

export type VerifiedEnvelope =
  | { readonly ok: true; readonly payload: Buffer }
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
  const payload = Buffer.from(envelope.payload, 'base64');
  const [signature] = envelope.signatures;
  if (signature.keyid !== keyId(publicKey)) return { ok: false, problem: 'other-key', payload };
  const good = verifies(pae(payloadType, payload), publicKey, Buffer.from(signature.sig, 'base64'));
  return good ? { ok: true, payload } : { ok: false, problem: 'bad-signature', payload };
}

/** Key ids are cached, because a chain has thousands of signatures and exporting a key is slower than checking one. */
const keyIds = new WeakMap<KeyObject, string>();

/** The `keyid`: SHA-256 of the public key's SPKI in DER, in lower-case hexadecimal. */
export function keyId(publicKey: KeyObject): string {
  const id = keyIds.get(publicKey) ?? hashOfKey(publicKey);
  keyIds.set(publicKey, id);
  return id;
}

function hashOfKey(publicKey: KeyObject): string {
  return createHash('sha256')
    .update(publicKey.export({ type: 'spki', format: 'der' }))
    .digest('hex');
}

/** Reads a P-256 public key in PEM. Throws `TypeError` where the text is anything else. */
export function readPublicKey(pem: string | Buffer): KeyObject {
  const key = tryPublicKey(pem);
  if (key?.asymmetricKeyType !== 'ec' || key.asymmetricKeyDetails?.namedCurve !== 'prime256v1') {
    throw new TypeError('expected an ECDSA P-256 public key in PEM');
  }
  return key;
}

/** Drops the message of OpenSSL (`DECODER routines::unsupported`), because it does not help the reader. */
function tryPublicKey(pem: string | Buffer): KeyObject | undefined {
  try {
    return createPublicKey(pem);
  } catch {
    return undefined;
  }
}

function verifies(signed: Buffer, publicKey: KeyObject, signature: Buffer): boolean {
  return verify('sha256', signed, { key: publicKey, dsaEncoding: 'der' }, signature);
}

function readEnvelope(bytes: Buffer): Envelope | undefined {
  const value = tryParseJson(bytes);
  if (!isRecord(value) || typeof value.payloadType !== 'string' || !isBase64(value.payload)) return undefined;
  const signature: unknown = Array.isArray(value.signatures) ? value.signatures[0] : undefined;
  if (!isRecord(signature) || typeof signature.keyid !== 'string' || !isBase64(signature.sig)) return undefined;
  const envelope: Envelope = {
    payloadType: value.payloadType,
    payload: value.payload,
    signatures: [{ keyid: signature.keyid, sig: signature.sig }],
  };
  // This refuses white space, further fields, further signatures and duplicate keys.
  return encode(envelope).equals(bytes) ? envelope : undefined;
}

function encode(envelope: Envelope): Buffer {
  return Buffer.from(`${JSON.stringify(envelope)}\n`);
}

/** Accepts canonical base64 only. With another spelling of the same bytes, an envelope could change unnoticed. */
function isBase64(value: unknown): value is string {
  return typeof value === 'string' && Buffer.from(value, 'base64').toString('base64') === value;
}

function tryParseJson(bytes: Buffer): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
