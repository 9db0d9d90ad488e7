/**
 * KMS with one P-256 key, for tests that need nothing but Node. It implements GetPublicKey and Sign and refuses the same
 * inputs as KMS. It computes the signature itself, because no function of Node signs a digest that is already computed.
 */

import { createECDH, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { jsonError, jsonResponse, type LocalServer, startJsonServer } from '../../local/server';

const ORDER = BigInt('0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551');

export async function startKmsServer(keyArn: string): Promise<LocalServer & { readonly publicKey: KeyObject }> {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const server = await startJsonServer((operation, input) => {
    if (input.KeyId !== keyArn) return jsonError('NotFoundException', `there is no key ${input.KeyId}`);
    if (operation === 'GetPublicKey') {
      const PublicKey = publicKey.export({ type: 'spki', format: 'der' }).toString('base64');
      return jsonResponse({ KeyId: keyArn, PublicKey, KeySpec: 'ECC_NIST_P256' });
    }
    if (operation !== 'Sign')
      return jsonError('UnknownOperationException', `the local KMS does not implement ${operation}`);
    const digest = Buffer.from(String(input.Message), 'base64');
    const valid = input.MessageType === 'DIGEST' && digest.length === 32 && input.SigningAlgorithm === 'ECDSA_SHA_256';
    if (!valid) return jsonError('ValidationException', 'a digest of 32 bytes for ECDSA_SHA_256 is expected');
    return jsonResponse({ KeyId: keyArn, Signature: signDigest(digest, privateKey).toString('base64') });
  });
  return { ...server, publicKey };
}

/** ECDSA: `r` is the x coordinate of a random point, and `s` proves that the signer knows the private key. */
function signDigest(digest: Buffer, key: KeyObject): Buffer {
  const secret = number(Buffer.from(key.export({ format: 'jwk' }).d ?? '', 'base64url'));
  const random = createECDH('prime256v1');
  const r = number(random.generateKeys().subarray(1, 33)) % ORDER;
  const k = number(random.getPrivateKey());
  const s = (power(k, ORDER - 2n) * (number(digest) + r * secret)) % ORDER;
  return der(0x30, Buffer.concat([integer(r), integer(s)]));
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

/** In DER, an integer has as few bytes as possible, and a zero byte before a first bit that would make it negative. */
function integer(value: bigint): Buffer {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.padStart(hex.length + (hex.length % 2), '0'), 'hex');
  const positive = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
  return der(0x02, positive);
}

function der(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag, content.length), content]);
}
