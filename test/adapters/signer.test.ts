import { generateKeyPairSync, sign } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { inspect } from 'node:util';
import {
  GetPublicKeyCommand,
  KMSClient,
  KMSServiceException,
  SignCommand,
  type SignCommandInput,
} from '@aws-sdk/client-kms';
import { mockClient } from 'aws-sdk-client-mock';
import { createSigner } from '../../lambdas/adapters/signer';
import { pae, readPublicKey, signEnvelope, verifyEnvelope } from '../../lambdas/shared/dsse';
import { ConfigError, UpstreamError } from '../../lambdas/shared/errors';
import { sha256Bytes } from '../../lambdas/shared/manifest';
import type { Signer } from '../../lambdas/shared/ports';

const ARN = 'arn:aws:kms:eu-central-1:111122223333:key/5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11';
const TYPE = 'application/test';
/** Longer than KMS takes whole. */
const payload = Buffer.alloc(10_000, 'manifest');

const noKms = () => {
  throw new Error('KMS is not to be asked');
};

function keyPair(namedCurve = 'prime256v1') {
  return generateKeyPairSync('ec', { namedCurve });
}

async function isAccepted(signer: Signer): Promise<boolean> {
  return verifyEnvelope(await signEnvelope(TYPE, payload, signer), TYPE, signer.publicKey).ok;
}

describe('a key file', () => {
  const folder = mkdtempSync(join(tmpdir(), 'signer-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  function fileOf(content: string | Buffer): string {
    const path = join(folder, 'key.pem');
    writeFileSync(path, content);
    return `file:${path}`;
  }

  test.each(['pkcs8', 'sec1'] as const)('in %s signs what the verifier accepts', async (type) => {
    const { privateKey, publicKey } = keyPair();
    const signer = await createSigner(fileOf(privateKey.export({ type, format: 'pem' })), noKms);
    expect(await isAccepted(signer)).toBe(true);
    expect(signer.publicKey.equals(publicKey)).toBe(true);
    const signature = await signer.sign(Buffer.from('x'));
    expect(signature[0]).toBe(0x30);
  });

  test('of another pair is not accepted', async () => {
    const signer = await createSigner(fileOf(keyPair().privateKey.export({ type: 'pkcs8', format: 'pem' })), noKms);
    expect(verifyEnvelope(await signEnvelope(TYPE, payload, signer), TYPE, keyPair().publicKey).ok).toBe(false);
  });

  const encrypted = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'secret' } as const;
  test.each<[string, string | Buffer]>([
    ['empty', ''],
    ['no PEM', 'canary'],
    ['a public key', keyPair().publicKey.export({ type: 'spki', format: 'pem' })],
    ['of another curve', keyPair('secp384r1').privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['of a curve that only looks alike', keyPair('secp256k1').privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['Ed25519', generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' })],
    ['encrypted', keyPair().privateKey.export(encrypted)],
    ['DER', keyPair().privateKey.export({ type: 'pkcs8', format: 'der' })],
  ])('that is %s is refused by its path, never by its content', async (_name, content) => {
    const error: unknown = await createSigner(fileOf(content), noKms).catch((caught: unknown) => caught);
    expect(error).toBeInstanceOf(ConfigError);
    expect(error).toMatchObject({ code: 'signing-refused', message: expect.stringContaining('key.pem') });
    expect(inspect(error)).not.toMatch(/canary|BEGIN/);
  });

  test('that is not there is refused', async () => {
    await expect(createSigner(`file:${folder}/none.pem`, noKms)).rejects.toMatchObject({ code: 'signing-refused' });
  });
});

describe('a KMS key', () => {
  const kms = mockClient(KMSClient);
  beforeEach(() => kms.reset());

  const client = () => new KMSClient({ region: 'eu-central-1' });
  const der = (pair: ReturnType<typeof keyPair>) => pair.publicKey.export({ type: 'spki', format: 'der' });

  /** KMS with this pair's key: it gets a digest, so it must know the message to sign it here. */
  function kmsWith(pair: ReturnType<typeof keyPair>, message = pae(TYPE, payload), signing = pair) {
    kms.on(GetPublicKeyCommand).resolves({ PublicKey: der(pair) });
    kms.on(SignCommand).callsFake(({ Message }: SignCommandInput) => {
      if (!sha256Bytes(message).equals(Buffer.from(Message ?? []))) throw new Error('not the digest of the message');
      return { Signature: sign('sha256', message, { key: signing.privateKey, dsaEncoding: 'der' }) };
    });
  }

  test('signs what the verifier accepts', async () => {
    const pair = keyPair();
    kmsWith(pair);
    const signer = await createSigner(ARN, client);
    expect(await isAccepted(signer)).toBe(true);
    expect(signer.publicKey.equals(pair.publicKey)).toBe(true);
  });

  test('is sent the digest, which is never too long', async () => {
    kmsWith(keyPair());
    await signEnvelope(TYPE, payload, await createSigner(ARN, client));
    expect(kms.commandCalls(GetPublicKeyCommand)[0]?.args[0].input).toEqual({ KeyId: ARN });
    expect(kms.commandCalls(SignCommand)[0]?.args[0].input).toEqual({
      KeyId: ARN,
      Message: sha256Bytes(pae(TYPE, payload)),
      MessageType: 'DIGEST',
      SigningAlgorithm: 'ECDSA_SHA_256',
    });
  });

  test('whose public key is asked for once signs many times', async () => {
    kmsWith(keyPair());
    const signer = await createSigner(ARN, client);
    await signEnvelope(TYPE, payload, signer);
    await signEnvelope(TYPE, payload, signer);
    expect(kms.commandCalls(GetPublicKeyCommand)).toHaveLength(1);
  });

  test.each<[string, Uint8Array | undefined]>([
    ['no key', undefined],
    ['nothing', new Uint8Array()],
    ['another curve', keyPair('secp384r1').publicKey.export({ type: 'spki', format: 'der' })],
    ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey.export({ type: 'spki', format: 'der' })],
  ])('that is %s is refused by name', async (_name, PublicKey) => {
    kms.on(GetPublicKeyCommand).resolves(PublicKey === undefined ? {} : { PublicKey });
    const creating = createSigner(ARN, client);
    await expect(creating).rejects.toMatchObject({ code: 'signing-refused', message: expect.stringContaining(ARN) });
  });

  test('that meanwhile is another one signs nothing that would be committed', async () => {
    kmsWith(keyPair(), pae(TYPE, payload), keyPair());
    const signer = await createSigner(ARN, client);
    await expect(signEnvelope(TYPE, payload, signer)).rejects.toMatchObject({ code: 'signing-refused' });
  });

  test('that answers without a signature signs nothing', async () => {
    kmsWith(keyPair());
    kms.on(SignCommand).resolves({});
    const signer = await createSigner(ARN, client);
    await expect(signEnvelope(TYPE, payload, signer)).rejects.toMatchObject({ code: 'signing-refused' });
  });

  const refusals = [
    'AccessDeniedException',
    'DisabledException',
    'KMSInvalidStateException',
    'NotFoundException',
    'InvalidArnException',
    'InvalidKeyUsageException',
    'UnsupportedOperationException',
    'ValidationException',
  ];
  test.each(refusals)('%s is for the operator', async (name) => {
    kms.on(GetPublicKeyCommand).rejects(awsError(name));
    await expect(createSigner(ARN, client)).rejects.toMatchObject({ name: 'ConfigError', code: 'signing-refused' });
    kmsWith(keyPair());
    kms.on(SignCommand).rejects(awsError(name));
    const signing = signEnvelope(TYPE, payload, await createSigner(ARN, client));
    await expect(signing).rejects.toMatchObject({ code: 'signing-refused', message: expect.stringContaining(ARN) });
  });

  test.each([
    'ThrottlingException',
    'DependencyTimeoutException',
    'KMSInternalException',
    'TimeoutError',
  ])('%s is waited out', async (name) => {
    kms.on(GetPublicKeyCommand).rejects(awsError(name));
    await expect(createSigner(ARN, client)).rejects.toBeInstanceOf(UpstreamError);
  });

  function awsError(name: string): KMSServiceException {
    return new KMSServiceException({ name, message: name, $fault: 'client', $metadata: { httpStatusCode: 400 } });
  }

  test('gives the public key that an operator would pin', async () => {
    const pair = keyPair();
    kmsWith(pair);
    const pem = String(pair.publicKey.export({ type: 'spki', format: 'pem' }));
    expect((await createSigner(ARN, client)).publicKey.equals(readPublicKey(pem))).toBe(true);
  });
});
