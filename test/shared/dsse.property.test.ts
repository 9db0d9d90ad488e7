import fc from 'fast-check';
import { signEnvelope, verifyEnvelope } from '../../lambdas/shared/dsse';
import { createSigner } from '../support/archive-builder';

const signer = createSigner();

test('an envelope in which any one byte is changed, removed or inserted is refused', async () => {
  const bytes = await signEnvelope('text/plain', Buffer.from('{"seq":1}'), signer);
  for (let at = 0; at < bytes.length; at += 1) {
    const [before, after] = [bytes.subarray(0, at), bytes.subarray(at + 1)];
    const byte = bytes.readUInt8(at);
    // The changes are another letter of base64 and hex, another case, and a byte that is not UTF-8.
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

test('any other JSON and any other bytes are refused and make nothing fail', () => {
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
