/**
 * The signing key, ECDSA P-256: a KMS key, whose private part never leaves KMS, or a PEM file. The environment chooses one of
 * them. The same offline verifier checks the signatures of both.
 */
import { createPrivateKey, type KeyObject, sign, verify } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { GetPublicKeyCommand, type KMSClient, SignCommand } from '@aws-sdk/client-kms';
import { readPublicKey } from '../shared/dsse';
import { ConfigError } from '../shared/errors';
import { sha256Bytes } from '../shared/manifest';
import type { Signer } from '../shared/ports';
import { awsFailure } from './aws-errors';

const FILE = 'file:';

/** `key` is the ARN or id of a KMS key, or `file:` and a path. Throws `ConfigError` where it does not name such a key. */
export async function createSigner(key: string, kms: () => KMSClient): Promise<Signer> {
  return key.startsWith(FILE) ? createFileSigner(key.slice(FILE.length)) : createKmsSigner(key, kms());
}

/**
 * The public key alone, for a function that may not sign. `key` is the same as above, where a file may also hold the public key.
 * Throws `ConfigError`.
 */
export async function readSigningKey(key: string, kms: () => KMSClient): Promise<KeyObject> {
  if (!key.startsWith(FILE)) return fetchPublicKey(key, kms());
  try {
    return readPublicKey(readFileSync(key.slice(FILE.length)));
  } catch {
    throw new ConfigError('signing-refused', `SIGNING_KEY: ${key.slice(FILE.length)} is not an ECDSA P-256 key in PEM`);
  }
}

function createFileSigner(path: string): Signer {
  try {
    const key = createPrivateKey(readFileSync(path));
    return {
      publicKey: readPublicKey(key),
      sign: async (message) => sign('sha256', message, { key, dsaEncoding: 'der' }),
    };
  } catch {
    throw new ConfigError('signing-refused', `SIGNING_KEY: ${path} is not a readable ECDSA P-256 private key in PEM`);
  }
}

async function createKmsSigner(KeyId: string, kms: KMSClient): Promise<Signer> {
  const publicKey = await fetchPublicKey(KeyId, kms);

  /** Sends the digest, because KMS accepts messages of at most 4096 bytes and a manifest can be longer. */
  async function signDigest(message: Buffer): Promise<Buffer> {
    const signature = await fetchSignature(KeyId, sha256Bytes(message), kms);
    if (verify('sha256', message, { key: publicKey, dsaEncoding: 'der' }, signature)) return signature;
    // The alias may name another key by now. A manifest with such a signature would end the chain, because it is locked.
    throw new ConfigError(
      'signing-refused',
      `${KeyId} signed with another key than the one whose public key it returned; nothing was committed; check what the alias names`,
    );
  }

  return { publicKey, sign: signDigest };
}

async function fetchSignature(KeyId: string, digest: Buffer, kms: KMSClient): Promise<Buffer> {
  const request = { KeyId, Message: digest, MessageType: 'DIGEST', SigningAlgorithm: 'ECDSA_SHA_256' } as const;
  const { Signature } = await kms.send(new SignCommand(request)).catch(failure(`signing with ${KeyId}`));
  return Buffer.from(Signature ?? []);
}

async function fetchPublicKey(KeyId: string, kms: KMSClient): Promise<KeyObject> {
  const request = new GetPublicKeyCommand({ KeyId });
  const { PublicKey } = await kms.send(request).catch(failure(`reading the public key of ${KeyId}`));
  try {
    return readPublicKey({ key: Buffer.from(PublicKey ?? []), type: 'spki', format: 'der' });
  } catch {
    throw new ConfigError('signing-refused', `SIGNING_KEY: ${KeyId} is not a key of type ECC_NIST_P256`);
  }
}

function failure(operation: string) {
  return (error: unknown): never => {
    throw awsFailure(error, operation, { refused: 'signing-refused' });
  };
}
