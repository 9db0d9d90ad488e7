import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inspect } from 'node:util';
import { GetPublicKeyCommand, KMSClient, KMSServiceException, SignCommand } from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { createSigner } from '../../lambdas/adapters/signer';
import { pae, signEnvelope, verifyEnvelope } from '../../lambdas/shared/dsse';
import { sha256Bytes } from '../../lambdas/shared/manifest';
import type { Signer } from '../../lambdas/shared/ports';
import { scratch } from '../support/scratch';

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11';
const TYPE = 'application/test';
/** Longer than the 4096 bytes that KMS accepts. */
const payload = Buffer.alloc(10_000, 'manifest');

const kms = mockClient(KMSClient);
beforeEach(() => kms.reset());

const noKms = () => {
  throw new Error('KMS must not be used for a key file');
};
const client = () => new KMSClient({ region: 'eu-central-1' });

function keyPair(namedCurve = 'prime256v1') {
  return generateKeyPairSync('ec', { namedCurve });
}
const pkcs8 = (key: KeyObject) => key.export({ type: 'pkcs8', format: 'pem' });
const spki = (key: KeyObject) => key.export({ type: 'spki', format: 'der' });

function fileOf(content: string | Buffer | undefined): string {
  const path = join(scratch, 'key.pem');
  if (content === undefined) rmSync(path, { force: true });
  else writeFileSync(path, content);
  return `file:${path}`;
}

async function isAccepted(signer: Signer, publicKey = signer.publicKey): Promise<boolean> {
  return verifyEnvelope(await signEnvelope(TYPE, payload, signer), TYPE, publicKey).ok;
}

test.each(['pkcs8', 'sec1'] as const)('a key file in %s signs what the verifier accepts', async (type) => {
  const { privateKey, publicKey } = keyPair();
  const signer = await createSigner(fileOf(privateKey.export({ type, format: 'pem' })), noKms);
  expect(signer.publicKey.equals(publicKey)).toBe(true);
  expect(await isAccepted(signer)).toBe(true);
  expect(await isAccepted(signer, keyPair().publicKey)).toBe(false);
});

const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
test.each<[string, string | Buffer | undefined]>([
  ['a file that does not exist', undefined],
  ['an empty file', ''],
  ['a file that is not PEM', 'canary'],
  ['a public key', keyPair().publicKey.export({ type: 'spki', format: 'pem' })],
  ['a key on another curve', pkcs8(keyPair('secp384r1').privateKey)],
  ['an encrypted key', keyPair().privateKey.export(encrypted)],
  ['a key in DER', keyPair().privateKey.export({ type: 'pkcs8', format: 'der' })],
])('%s is refused as a key file, and the error holds the path but not the content', async (_name, content) => {
  const error: unknown = await createSigner(fileOf(content), noKms).catch((caught: unknown) => caught);
  const message = expect.stringContaining('key.pem');
  expect(error).toMatchObject({ code: 'signing-refused', message });
  expect(inspect(error)).not.toMatch(/canary|BEGIN/);
});

/** KMS with the key of this pair. It receives a digest, so it must know the message in order to sign it here. */
function kmsWith(pair: ReturnType<typeof keyPair>, signing = pair) {
  const message = pae(TYPE, payload);
  kms.on(GetPublicKeyCommand).resolves({ PublicKey: spki(pair.publicKey) });
  kms.on(SignCommand).callsFake(async ({ Message }: SignCommand['input']) => {
    if (!sha256Bytes(message).equals(Buffer.from(Message ?? []))) throw new Error('not the digest of the message');
    return { Signature: sign('sha256', message, { key: signing.privateKey, dsaEncoding: 'der' }) };
  });
  return kms;
}

test('a KMS key signs the digest of the message, and its public key is read once', async () => {
  const pair = keyPair();
  kmsWith(pair);
  const signer = await createSigner(ARN, client);
  expect(signer.publicKey.equals(pair.publicKey)).toBe(true);
  expect(await isAccepted(signer)).toBe(true);
  expect(await isAccepted(signer)).toBe(true);
  expect(kms.commandCalls(GetPublicKeyCommand).map(({ args }) => args[0].input)).toEqual([{ KeyId: ARN }]);
  expect(kms.commandCalls(SignCommand)[0]?.args[0].input).toEqual({
    KeyId: ARN,
    Message: sha256Bytes(pae(TYPE, payload)),
    MessageType: 'DIGEST',
    SigningAlgorithm: 'ECDSA_SHA_256',
  });
});

test.each<[string, Uint8Array | undefined]>([
  ['no key', undefined],
  ['a key on another curve', spki(keyPair('secp384r1').publicKey)],
])('%s from KMS is refused, and the error names the key', async (_name, PublicKey) => {
  kms.on(GetPublicKeyCommand).resolves(PublicKey === undefined ? {} : { PublicKey });
  const message = expect.stringContaining(ARN);
  await expect(createSigner(ARN, client)).rejects.toMatchObject({ code: 'signing-refused', message });
});

test.each([
  ['by another key than the one whose public key was read', () => kmsWith(keyPair(), keyPair())],
  ['that is missing in the response', () => kmsWith(keyPair()).on(SignCommand).resolves({})],
])('a signature of KMS %s is refused', async (_name, arrange) => {
  arrange();
  const signing = signEnvelope(TYPE, payload, await createSigner(ARN, client));
  await expect(signing).rejects.toMatchObject({ code: 'signing-refused' });
});

test.each([
  ['AccessDeniedException', 'signing-refused'],
  ['DisabledException', 'signing-refused'],
  ['ThrottlingException', 'storage-unavailable'],
])('the error %s of KMS has the code %s when the public key is read and when a message is signed', async (name, code) => {
  const error = new KMSServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
  const failure = { code, message: expect.stringMatching(`${ARN}.*${name}`) };
  kms.on(GetPublicKeyCommand).rejects(error);
  await expect(createSigner(ARN, client)).rejects.toMatchObject(failure);
  kmsWith(keyPair());
  kms.on(SignCommand).rejects(error);
  await expect(signEnvelope(TYPE, payload, await createSigner(ARN, client))).rejects.toMatchObject(failure);
});
