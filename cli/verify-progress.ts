/** Shows on a terminal how much of a long verification is done. Anywhere else, and in a short one, it prints nothing. */
import { SingleBar } from 'cli-progress';
import type { ArchiveReader } from '../lambdas/verifier/inventory';

const LOOK = { format: '  {bar} {percentage}%  {value} of {total} objects', clearOnComplete: true };

interface ProgressOptions {
  readonly output: NodeJS.WriteStream;
  /** A verification that takes longer than this is a long one. */
  readonly afterMs: number;
}

/** Returns a reader that moves the bar, and `end`, which removes the bar. */
export function withProgress(archive: ArchiveReader, { output, afterMs }: ProgressOptions) {
  if (!output.isTTY) return { archive, end: () => undefined };
  // Control-C ends the command at once, so the bar must not change how the terminal behaves.
  const bar = new SingleBar({ ...LOOK, stream: output, gracefulExit: false, linewrap: true });
  const begun = performance.now();
  let [listed, read] = [0, 0];

  async function list(...wanted: Parameters<ArchiveReader['list']>): Promise<readonly string[]> {
    const keys = await archive.list(...wanted);
    // The first list holds all keys.
    listed = Math.max(listed, keys.length);
    return keys;
  }

  function get(...wanted: Parameters<ArchiveReader['get']>): Promise<Buffer | undefined> {
    read = Math.min(read + 1, listed);
    if (bar.isActive) bar.update(read);
    else if (performance.now() - begun >= afterMs) bar.start(listed, read);
    return archive.get(...wanted);
  }

  return { archive: { ...archive, list, get }, end: () => bar.stop() };
}
