/**
 * zlib's streams work on other threads, where virtual time cannot see them. So each stream is counted from its making to
 * its end, and nobody's turn comes before all are done: whatever happens stays in the same order on every machine.
 */
import zlib from 'node:zlib';

let atWork = 0;

const { createInflateRaw } = zlib;
Object.defineProperty(zlib, 'createInflateRaw', {
  configurable: true,
  enumerable: true,
  value: (...options: Parameters<typeof createInflateRaw>) => {
    atWork += 1;
    return createInflateRaw(...options).once('close', () => {
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
