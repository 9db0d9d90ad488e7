import { generateKeyPairSync, type KeyObject, sign, verify } from 'node:crypto';
import { keyId, pae, readPublicKey, signEnvelope, verifyEnvelope } from '../../lambdas/shared/dsse';
import type { Signer } from '../../lambdas/shared/ports';
import { createSigner } from '../support/archive-builder';
import { withOtherS } from '../support/tampering';

const TYPE = 'application/vnd.test+json';
const PAYLOAD = Buffer.from('{"seq":1,"team":"main \u00e9"}');
const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
const signer: Signer = { publicKey, sign: async (message) => sign('sha256', message, privateKey) };

interface Parts {
  readonly payloadType?: string;
  readonly payload?: string;
  readonly keyid?: string;
  readonly sig?: string;
}

const signedEnvelope = () => signEnvelope(TYPE, PAYLOAD, signer);

/** A signed envelope with some of its parts replaced. It is written exactly as `signEnvelope` writes. */
async function envelope(parts: Parts = {}): Promise<Buffer> {
  const good = JSON.parse(String(await signedEnvelope()));
  const { payloadType = good.payloadType, payload = good.payload, ...signature } = parts;
  return Buffer.from(
    `${JSON.stringify({ payloadType, payload, signatures: [{ ...good.signatures[0], ...signature }] })}\n`,
  );
}

/** The order of the group of P-256, less a number, in hexadecimal. */
function orderLess(hex: string): string {
  return (0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n - BigInt(`0x${hex}`)).toString(16);
}

/** A sequence of DER. */
function sequence(content: string): string {
  return `30${(content.length / 2).toString(16).padStart(2, '0')}${content}`;
}

const rawSignature = () => sign('sha256', pae(TYPE, PAYLOAD), { key: privateKey, dsaEncoding: 'ieee-p1363' });
const signatureBy = (by: Signer, bytes: Buffer) => by.sign(bytes).then((sig) => sig.toString('base64'));

describe('signing an envelope', () => {
  test('the signature covers the pre-authentication encoding of DSSE', async () => {
    // The example of the DSSE specification.
    expect(pae('http://example.com/HelloWorld', Buffer.from('hello world')).toString()).toBe(
      'DSSEv1 29 http://example.com/HelloWorld 11 hello world',
    );
    expect(pae('é', Buffer.from('é')).toString()).toBe('DSSEv1 2 é 2 é');
    const { payload, signatures } = JSON.parse(String(await signedEnvelope()));
    const message = Buffer.concat([Buffer.from(`DSSEv1 ${TYPE.length} ${TYPE} ${PAYLOAD.length} `), PAYLOAD]);
    expect(Buffer.from(payload, 'base64')).toEqual(PAYLOAD);
    expect(verify('sha256', message, signer.publicKey, Buffer.from(signatures[0].sig, 'base64'))).toBe(true);
  });

  test('an envelope is one line that names the key by its SHA-256', async () => {
    const text = String(await signedEnvelope());
    expect(JSON.parse(text).signatures[0].keyid).toBe(keyId(signer.publicKey));
    expect(keyId(signer.publicKey)).toMatch(/^[0-9a-f]{64}$/);
    expect(text.indexOf('\n')).toBe(text.length - 1);
  });

  test('verifying a signed envelope gives the payload back, also an empty one', async () => {
    const opened = { ok: true, payload: PAYLOAD, hasLowS: true };
    expect(verifyEnvelope(await signedEnvelope(), TYPE, signer.publicKey)).toEqual(opened);
    const empty = await signEnvelope(TYPE, Buffer.alloc(0), signer);
    expect(verifyEnvelope(empty, TYPE, signer.publicKey)).toEqual({ ...opened, payload: Buffer.alloc(0) });
  });

  test('of the two values of s, an envelope always has the lower one, and a reader is told of the other', async () => {
    for (let n = 0; n < 50; n += 1) {
      const payload = Buffer.from(`{"seq":${n}}`);
      const good = await signEnvelope(TYPE, payload, signer);
      expect(verifyEnvelope(good, TYPE, signer.publicKey)).toEqual({ ok: true, payload, hasLowS: true });
      const other = withOtherS(good);
      expect(verifyEnvelope(other, TYPE, signer.publicKey)).toEqual({ ok: true, payload, hasLowS: false });
    }
  });

  const half = '7fffffff800000007fffffffffffffffde737d56d38bcf4279dce5617e3192a8';
  test.each([
    ['1', '020101', '020101'],
    ['half the order, rounded down', `0220${half}`, `0220${half}`],
    ['half the order, rounded up', `0220${half.replace(/8$/, '9')}`, `0220${half}`],
    ['the order less 1', `022100${orderLess('01')}`, '020101'],
    ['the order less 127', `022100${orderLess('7f')}`, '02017f'],
    ['the order less 128', `022100${orderLess('80')}`, '02020080'],
  ])('an s of %s is written as the shortest DER integer', async (_, given, written) => {
    const sign = async () => Buffer.from(sequence(`020105${given}`), 'hex');
    const { signatures } = JSON.parse(String(await signEnvelope(TYPE, PAYLOAD, { ...signer, sign })));
    expect(Buffer.from(signatures[0].sig, 'base64').toString('hex')).toBe(sequence(`020105${written}`));
  });
});

describe('refused envelopes', () => {
  const other = createSigner();
  const badSignature = { ok: false, problem: 'bad-signature' };

  test('an envelope is refused where its signature or its keyid belongs to another key', async () => {
    const otherKey = { ok: false, problem: 'other-key', payload: PAYLOAD };
    expect(verifyEnvelope(await signEnvelope(TYPE, PAYLOAD, other), TYPE, signer.publicKey)).toEqual(otherKey);
    const renamed = await envelope({ keyid: keyId(other.publicKey) });
    expect(verifyEnvelope(renamed, TYPE, signer.publicKey)).toEqual(otherKey);
    const forged = await envelope({ sig: await signatureBy(other, pae(TYPE, PAYLOAD)) });
    expect(verifyEnvelope(forged, TYPE, signer.publicKey)).toEqual({ ...badSignature, payload: PAYLOAD });
  });

  test.each([
    ['another payload', async () => ({ payload: Buffer.from('{"seq":2}').toString('base64') })],
    ['no signature', async () => ({ sig: '' })],
    ['a signature of the payload alone', async () => ({ sig: await signatureBy(signer, PAYLOAD) })],
    ['a signature of another type', async () => ({ sig: await signatureBy(signer, pae('text/plain', PAYLOAD)) })],
    ['a signature of another payload', async () => ({ sig: await signatureBy(signer, pae(TYPE, Buffer.from('x'))) })],
    ['a signature of r = s = 0', async () => ({ sig: Buffer.from('3006020100020100', 'hex').toString('base64') })],
    ['a signature of r = s = 1', async () => ({ sig: Buffer.from('3006020101020101', 'hex').toString('base64') })],
    ['a signature that is not DER', async () => ({ sig: rawSignature().toString('base64') })],
    [
      'a signature with a byte after it',
      async () => ({ sig: Buffer.concat([await signer.sign(pae(TYPE, PAYLOAD)), Buffer.of(0)]).toString('base64') }),
    ],
  ] satisfies [string, () => Promise<Parts>][])('an envelope with %s is refused', async (_name, parts) => {
    const changed = await envelope(await parts());
    expect(verifyEnvelope(changed, TYPE, signer.publicKey)).toMatchObject(badSignature);
  });

  test('an envelope with another payload type is refused, whether the type is signed or not', async () => {
    const renamed = await envelope({ payloadType: 'text/plain' });
    const notAnEnvelope = { ok: false, problem: 'not-an-envelope' };
    expect(verifyEnvelope(await signedEnvelope(), 'text/plain', signer.publicKey)).toEqual(notAnEnvelope);
    expect(verifyEnvelope(renamed, TYPE, signer.publicKey)).toEqual(notAnEnvelope);
    expect(verifyEnvelope(renamed, 'text/plain', signer.publicKey).ok).toBe(false);
  });

  test.each([
    ['a byte order mark', (good: string) => `\ufeff${good}`],
    ['an escape where none is needed', (good: string) => good.replace('payload"', '\\u0070ayload"')],
    ['a further field', (good: string) => good.replace('{', '{"x":1,')],
    ['a further field of the signature', (good: string) => good.replace('{"keyid"', '{"x":1,"keyid"')],
    ['fields in another order', (good: string) => good.replace(/(\{)(.*?),("payload":".*?")/, '$1$3,$2')],
    ['the payload twice', (good: string) => good.replace('"payload":', '"payload":"e30=","payload":')],
    ['no signatures', (good: string) => good.replace(/\[.*\]/, '[]')],
    ['signatures that are an object', (good: string) => good.replace(/\[(.*)\]/, '$1')],
    ['a second signature', (good: string) => good.replace(/\[(.*)\]/, '[$1,$1]')],
    ['a signature that is null', (good: string) => good.replace(/\[.*\]/, '[null]')],
    ['a keyid that is a number', (good: string) => good.replace(/"keyid":"\w+"/, '"keyid":1')],
    ['a sig that is null', (good: string) => good.replace(/"sig":"[^"]+"/, '"sig":null')],
    ['base64 with a newline', (good: string) => good.replace('"payload":"', '"payload":"\\n')],
    ['base64 of the URL alphabet', (good: string) => good.replace(/"sig":"[^"]+"/, '"sig":"-_8="')],
    ['base64 without its padding', (good: string) => good.replace(/=+"/, '"')],
    [
      'base64 with other spare bits',
      (good: string) => good.replace(/(\w)="/, (_all, last) => `${last === 'B' ? 'C' : 'B'}="`),
    ],
  ])('an envelope is refused that is or has %s', async (_name, bend) => {
    const good = String(await signEnvelope(TYPE, Buffer.from('{"seq": 10}'), signer));
    expect(good).toMatch(/"payload":"[^"=]+="/);
    expect(bend(good)).not.toBe(good);
    expect(verifyEnvelope(Buffer.from(bend(good)), TYPE, signer.publicKey)).toMatchObject({ ok: false });
  });
});

describe('reading a public key', () => {
  const pem = (key: KeyObject) => String(key.export({ type: 'spki', format: 'pem' }));

  test('a P-256 key in PEM is read and has the same id', () => {
    expect(keyId(readPublicKey(pem(signer.publicKey)))).toBe(keyId(signer.publicKey));
    expect(keyId(readPublicKey(Buffer.from(pem(signer.publicKey))))).toBe(keyId(signer.publicKey));
  });

  test.each([
    ['RSA', () => pem(generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey)],
    ['P-384', () => pem(generateKeyPairSync('ec', { namedCurve: 'secp384r1' }).publicKey)],
    ['secp256k1', () => pem(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey)],
    ['Ed25519', () => pem(generateKeyPairSync('ed25519').publicKey)],
    ['an empty text', () => ''],
    ['a PEM without a key', () => '-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n'],
    ['SSH', () => 'ssh-ed25519 AAAA'],
  ])('a public key is refused that is %s', (_name, text) => {
    expect(() => readPublicKey(text())).toThrow(new TypeError('expected an ECDSA P-256 public key in PEM'));
  });
});
