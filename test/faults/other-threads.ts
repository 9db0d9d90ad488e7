/**
 * zlib's streams work on other threads, where virtual time cannot see them. So each stream is counted from its making to
 * its end, and nobody's turn comes before all are done: whatever happens stays in the same order on every machine.
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

/** Resolves when every promise has run as far as it can, and no other thread is at work. */
export async function everythingRests(): Promise<void> {
  do await nextImmediate();
  while (atWork > 0);
}

/** Node runs every promise that can run before it comes to the next immediate. */
function nextImmediate(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
