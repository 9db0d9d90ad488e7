/**
 * The offline verifier accepts the signatures of KMS with the exported public key. The KMS is that of moto. It signs a
 * digest unchanged only with a correction (see `startMoto`); keys, export and protocol are its own.
 */

import {
  CreateAliasCommand,
  CreateKeyCommand,
  GetPublicKeyCommand,
  type KeySpec,
  type KMSClient,
} from '@aws-sdk/client-kms';
import { createSigner } from '../../lambdas/adapters/signer';
import { keyId, readPublicKey, signEnvelope, verifyEnvelope } from '../../lambdas/shared/dsse';
import { kmsClientOf } from './clients';
import { describeWith, startMoto, stopServers } from './servers';

const TYPE = 'application/test';
/** The second payload is longer than KMS accepts. */
const payloads = [Buffer.from('{}'), Buffer.alloc(10_000, 'manifest')];

describeWith(['moto'], 'with the KMS of moto', () => {
  let kms: KMSClient;

  beforeAll(async () => {
    kms = kmsClientOf(await startMoto());
  }, 120_000);
  afterAll(async () => {
    kms.destroy();
    await stopServers();
  });

  async function createKey(KeySpec: KeySpec = 'ECC_NIST_P256') {
    const { KeyMetadata } = await kms.send(new CreateKeyCommand({ KeySpec, KeyUsage: 'SIGN_VERIFY' }));
    return { id: String(KeyMetadata?.KeyId), arn: String(KeyMetadata?.Arn) };
  }

  /** The public key in PEM, as an operator saves it with `aws kms get-public-key`. */
  async function exported(KeyId: string) {
    const { PublicKey = [] } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const base64 = Buffer.from(PublicKey).toString('base64');
    return readPublicKey(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`);
  }

  test('a KMS key signs so that the verifier accepts it with the exported public key', async () => {
    const { arn } = await createKey();
    const signer = await createSigner(arn, () => kms);
    const publicKey = await exported(arn);
    expect(keyId(signer.publicKey)).toBe(keyId(publicKey));
    for (const payload of payloads) {
      expect(verifyEnvelope(await signEnvelope(TYPE, payload, signer), TYPE, publicKey)).toEqual({ ok: true, payload });
    }
  });

  test('a KMS key may be named by its id or an alias', async () => {
    const { id } = await createKey();
    const AliasName = 'alias/postman-audit-archive';
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: id }));
    for (const name of [id, AliasName]) {
      const envelope = await signEnvelope(TYPE, Buffer.from('{}'), await createSigner(name, () => kms));
      expect(verifyEnvelope(envelope, TYPE, await exported(id)).ok).toBe(true);
    }
  });

  test('a signature of one KMS key is not accepted with another key', async () => {
    const [one, other] = [await createKey(), await createKey()];
    const envelope = await signEnvelope(TYPE, Buffer.from('{}'), await createSigner(one.arn, () => kms));
    expect(verifyEnvelope(envelope, TYPE, await exported(other.arn))).toMatchObject({
      ok: false,
      problem: 'other-key',
    });
  });

  test('a missing KMS key is reported to the operator', async () => {
    const missing = 'arn:aws:kms:us-east-1:123456789012:key/5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11';
    const refused = { code: 'signing-refused', message: expect.stringContaining(missing) };
    await expect(createSigner(missing, () => kms)).rejects.toMatchObject(refused);
  });

  test.each([
    'ECC_NIST_P384',
    'RSA_2048',
  ] as const)('a KMS key of type %s is reported to the operator', async (spec) => {
    const { arn } = await createKey(spec);
    await expect(createSigner(arn, () => kms)).rejects.toMatchObject({ code: 'signing-refused' });
  });
});
