/**
 * The streams of zlib work on other threads, which virtual time does not control. So each stream is counted from its
 * creation to its end, and no turn begins before all have ended. This keeps the same order on every machine.
 */
import zlib from 'node:zlib';

let atWork = 0;

const { createGunzip } = zlib;
Object.defineProperty(zlib, 'createGunzip', {
  configurable: true,
  enumerable: true,
  value: (...options: Parameters<typeof createGunzip>) => {
    atWork += 1;
    return createGunzip(...options).once('close', () => {
      atWork -= 1;
    });
  },
});

/** Resolves when every promise has run as far as it can, and no other thread works. */
export async function everythingRests(): Promise<void> {
  do await nextImmediate();
  while (atWork > 0);
}

/** Node runs every promise that can run before the next immediate. */
function nextImmediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
