/**
 * What KMS signs, the offline verifier accepts with the exported public key. KMS is moto's, which signs a digest as AWS
 * does only with the launcher's help (see `startMoto`); keys, export and protocol are its own.
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
/** The second is longer than what KMS takes whole. */
const payloads = [Buffer.from('{}'), Buffer.alloc(10_000, 'manifest')];

describeWith(['moto'], 'a key in KMS', () => {
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

  /** As the operator saves it: `aws kms get-public-key`, in PEM. */
  async function exported(KeyId: string) {
    const { PublicKey = [] } = await kms.send(new GetPublicKeyCommand({ KeyId }));
    const base64 = Buffer.from(PublicKey).toString('base64');
    return readPublicKey(`-----BEGIN PUBLIC KEY-----\n${base64}\n-----END PUBLIC KEY-----\n`);
  }

  test('signs what the verifier accepts with the exported public key', async () => {
    const { arn } = await createKey();
    const signer = await createSigner(arn, () => kms);
    const publicKey = await exported(arn);
    expect(keyId(signer.publicKey)).toBe(keyId(publicKey));
    for (const payload of payloads) {
      expect(verifyEnvelope(await signEnvelope(TYPE, payload, signer), TYPE, publicKey)).toEqual({ ok: true, payload });
    }
  });

  test('may be named by its id or an alias', async () => {
    const { id } = await createKey();
    const AliasName = 'alias/postman-audit-archive';
    await kms.send(new CreateAliasCommand({ AliasName, TargetKeyId: id }));
    for (const name of [id, AliasName]) {
      const envelope = await signEnvelope(TYPE, Buffer.from('{}'), await createSigner(name, () => kms));
      expect(verifyEnvelope(envelope, TYPE, await exported(id)).ok).toBe(true);
    }
  });

  test('signs nothing that is accepted with the key of another', async () => {
    const [one, other] = [await createKey(), await createKey()];
    const envelope = await signEnvelope(TYPE, Buffer.from('{}'), await createSigner(one.arn, () => kms));
    expect(verifyEnvelope(envelope, TYPE, await exported(other.arn))).toMatchObject({
      ok: false,
      problem: 'other-key',
    });
  });

  test('that is not there is for the operator', async () => {
    const missing = 'arn:aws:kms:us-east-1:123456789012:key/5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11';
    const refused = { code: 'signing-refused', message: expect.stringContaining(missing) };
    await expect(createSigner(missing, () => kms)).rejects.toMatchObject(refused);
  });

  test.each(['ECC_NIST_P384', 'RSA_2048'] as const)('of type %s is for the operator', async (spec) => {
    const { arn } = await createKey(spec);
    await expect(createSigner(arn, () => kms)).rejects.toMatchObject({ code: 'signing-refused' });
  });
});
