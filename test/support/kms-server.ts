/**
 * A KMS with one P-256 key, for tests that need nothing but Node. It knows GetPublicKey and Sign, and refuses what KMS
 * would refuse. Node has no function that signs a digest as it is, so that the signature is computed here.
 */
import { createECDH, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { json, listenJson } from '../../cli/local/json-service';
import type { LocalServer } from '../../cli/local/loopback';

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

interface Input {
  readonly KeyId: string;
  readonly Message: string;
  readonly MessageType: string;
  readonly SigningAlgorithm: string;
}

export async function startKmsServer(keyArn: string): Promise<LocalServer & { readonly publicKey: KeyObject }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = await listenJson((operation, { body }) => {
    const input = JSON.parse(body.toString()) as Input;
    if (input.KeyId !== keyArn) return refuse('NotFoundException', `there is no key ${input.KeyId}`);
    if (operation === 'GetPublicKey') {
      const der = publicKey.export({ type: 'spki', format: 'der' });
      return json(200, { KeyId: keyArn, PublicKey: der.toString('base64'), KeySpec: 'ECC_NIST_P256' });
    }
    if (operation !== 'Sign') return refuse('UnknownOperationException', operation);
    const digest = Buffer.from(input.Message, 'base64');
    const valid = input.MessageType === 'DIGEST' && digest.length === 32 && input.SigningAlgorithm === 'ECDSA_SHA_256';
    if (!valid) return refuse('ValidationException', 'a digest of 32 bytes for ECDSA_SHA_256 is expected');
    return json(200, { KeyId: keyArn, Signature: signDigest(digest, privateKey).toString('base64') });
  }, {});
  return { ...server, publicKey };
}

function refuse(code: string, message: string) {
  return json(400, { __type: code, message });
}

/** ECDSA: `r` is the x of a random point, and only the holder of the key can compute the `s` that fits it. */
function signDigest(digest: Buffer, key: KeyObject): Buffer {
  const secret = number(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const random = createECDH('prime256v1');
  const r = number(random.generateKeys().subarray(1, 33)) % ORDER;
  const k = number(random.getPrivateKey());
  const s = (power(k, ORDER - 2n) * (number(digest) + r * secret)) % ORDER;
  return sequence(Buffer.concat([integer(r), integer(s)]));
}

function power(base: bigint, exponent: bigint): bigint {
  let result = 1n;
  for (const bit of exponent.toString(2)) {
    result = (result * result) % ORDER;
    if (bit === '1') result = (result * base) % ORDER;
  }
  return result;
}

function number(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`);
}

/** An integer in DER has the fewest bytes, and its first bit is never one, which would make it negative. */
function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const positive = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
  return Buffer.concat([Buffer.of(0x02, positive.length), positive]);
}

function sequence(content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(0x30, content.length), content]);
}
