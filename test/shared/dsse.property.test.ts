import fc from 'fast-check';
import { signEnvelope, verifyEnvelope } from '../../lambdas/shared/dsse';
import { createSigner } from '../support/archive-builder';

const signer = createSigner();
const payloads = fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes));
const types = fc.string({ unit: 'grapheme', maxLength: 20 });

test('any payload of any type comes back, and only as that type', async () => {
  await fc.assert(
    fc.asyncProperty(payloads, types, types, async (payload, type, other) => {
      const bytes = await signEnvelope(type, payload, signer);
      expect(verifyEnvelope(bytes, type, signer.publicKey)).toEqual({ ok: true, payload });
      expect(verifyEnvelope(bytes, other, signer.publicKey).ok).toBe(other === type);
    }),
    { numRuns: 100 },
  );
});

test('an envelope with any byte changed, left out or put in does not open', async () => {
  const bytes = await signEnvelope('text/plain', Buffer.from('{"seq":1}'), signer);
  for (let at = 0; at < bytes.length; at += 1) {
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + 1)];
    const byte = bytes.readUInt8(at);
    // Another letter of base64 and hex, another case, one bit, and no UTF-8.
    const changed = [byte ^ 1, byte ^ 0x20, byte ^ 0x80].map((other) =>
      Buffer.concat([before, Buffer.from([other]), after]),
    );
    const cut = Buffer.concat([before, after]);
    const longer = [...' \n0"'].map((char) => Buffer.concat([before, Buffer.from(char), bytes.subarray(at)]));
    for (const tampered of [...changed, cut, ...longer]) {
      const same = tampered.equals(bytes);
      if (verifyEnvelope(tampered, 'text/plain', signer.publicKey).ok !== same) throw new Error(`opens: ${tampered}`);
    }
  }
});

test('an envelope with any bytes changed does not open', async () => {
  const bytes = await signEnvelope('text/plain', Buffer.from('{"seq":1,"previous":null}'), signer);
  const change = fc.tuple(fc.nat(bytes.length - 1), fc.integer({ min: 1, max: 255 }));
  fc.assert(
    fc.property(fc.uniqueArray(change, { selector: ([at]) => at, minLength: 1, maxLength: 4 }), (changes) => {
      const tampered = Buffer.from(bytes);
      for (const [at, bits] of changes) tampered.writeUInt8(tampered.readUInt8(at) ^ bits, at);
      expect(verifyEnvelope(tampered, 'text/plain', signer.publicKey).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});

test('any JSON and any bytes are no envelope, and nothing fails', () => {
  const shape = fc.record(
    {
      payloadType: fc.oneof(fc.constant('t'), fc.jsonValue()),
      payload: fc.oneof(fc.constant('e30='), fc.jsonValue()),
      signatures: fc.oneof(
        fc.array(fc.record({ keyid: fc.jsonValue(), sig: fc.jsonValue() }, { requiredKeys: [] }), { maxLength: 2 }),
        fc.jsonValue(),
      ),
    },
    { requiredKeys: [] },
  );
  const bytes = fc.oneof(
    shape.map((value) => Buffer.from(`${JSON.stringify(value)}\n`)),
    fc.uint8Array().map((noise) => Buffer.from(noise)),
  );
  fc.assert(
    fc.property(bytes, (envelope) => {
      expect(verifyEnvelope(envelope, 't', signer.publicKey).ok).toBe(false);
    }),
    { numRuns: 300 },
  );
});
