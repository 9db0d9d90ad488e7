/**
 * The signing key, ECDSA P-256: a KMS key in AWS, whose private part never leaves it, or a PEM file. Which one is the
 * environment's choice; what they sign is checked by the same offline verifier.
 */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { readPublicKey } from '../shared/dsse';
import { ConfigError } from '../shared/errors';
import { sha256Bytes } from '../shared/manifest';
import type { Signer } from '../shared/ports';
import { awsFailure } from './aws-errors';

const FILE = 'file:';

/** `key` is a KMS key's ARN or id, or `file:` and a path. Throws `ConfigError` where it is no such key. */
export async function createSigner(key: string, kms: () => KMSClient): Promise<Signer> {
  return key.startsWith(FILE) ? createFileSigner(key.slice(FILE.length)) : createKmsSigner(key, kms());
}

function createFileSigner(path: string): Signer {
  try {
    const key = createPrivateKey(readFileSync(path));
    const publicKey = readPublicKey(createPublicKey(key).export({ type: 'spki', format: 'pem' }));
    return { publicKey, sign: async (message) => sign('sha256', message, { key, dsaEncoding: 'der' }) };
  } catch {
    throw new ConfigError('signing-refused', `SIGNING_KEY: ${path} is not a readable ECDSA P-256 private key in PEM`);
  }
}

async function createKmsSigner(KeyId: string, kms: KMSClient): Promise<Signer> {
  const publicKey = readPublicKey(spkiPem(await fetchPublicKey(KeyId, kms)));

  /** KMS takes at most 4096 bytes of message, and a manifest can be longer: so the digest is sent. */
  async function signDigest(message: Buffer): Promise<Buffer> {
    const request = {
      KeyId,
      Message: sha256Bytes(message),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    } as const;
    try {
      const { Signature } = await kms.send(new SignCommand(request));
      return Buffer.from(Signature ?? []);
    } catch (error) {
      throw awsFailure(error, `signing with ${KeyId}`);
    }
  }

  return { publicKey, sign: signDigest };
}

async function fetchPublicKey(KeyId: string, kms: KMSClient): Promise<Uint8Array> {
  try {
    const { PublicKey } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    return PublicKey ?? new Uint8Array();
  } catch (error) {
    throw awsFailure(error, `reading the public key of ${KeyId}`);
  }
}

function spkiPem(der: Uint8Array): string {
  return `-----BEGIN PUBLIC KEY-----\n${Buffer.from(der).toString('base64')}\n-----END PUBLIC KEY-----\n`;
}
