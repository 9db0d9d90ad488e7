#!/usr/bin/env node
// The command `audit-archive`: bundles the TypeScript sources when it needs to, so a clone needs no build step. Exit code 1 means
// findings, but Node also ends with 1 after an error that nobody handles. So every error that nothing else handles ends
// here, with 3. An old Node must be able to parse this file, and nothing that may fail is imported before the guards.
import fs from 'node:fs';

const FAILED = 3;

process.on('uncaughtException', fail);
process.stderr.on('error', () => {
  // No output is left to write to. The exit code still tells how the command ended.
});
process.stdout.on('error', (error) => {
  // A reader such as `head` may close the pipe early. The command goes on, because its exit code still has a meaning.
  const isClosedPipe = error.code === 'EPIPE' || error.code === 'EOF';
  if (!isClosedPipe) fail(new Error(`the output is incomplete, because it could not be written: ${error.message}`));
});
writeFilesCompletely();
// The AWS SDK prints seven lines about Node 20 at every start, and they would hide the answer. README names the oldest Node.
process.env.AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED ??= 'true';

const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  fail(new Error(`Node ${process.versions.node} is too old: install Node 20.15 or newer`));
} else {
  load().then((main) => main.run().catch(fail), cannotStart);
}

function load() {
  return import('./bundle.mjs').then(({ loadBundled }) => loadBundled('cli/main.ts'));
}

function cannotStart(error) {
  fail(new Error(`the program cannot be loaded: ${error.message}; check that "npm ci" has ended well`));
}

/** Node ignores that a full disk takes only the first part of what is written to a file as standard output. */
function writeFilesCompletely() {
  if (!fs.fstatSync(1).isFile()) return;
  process.stdout._write = (bytes, _encoding, done) => {
    try {
      fs.writeFileSync(1, bytes);
      done();
    } catch (error) {
      done(error);
    }
  };
}

function fail(error) {
  const line = (error instanceof Error ? error.message : String(error)).replace(/\s*\n\s*/g, ' ');
  // A message of the SQL engine may quote an event, and the text in it must not control the terminal.
  const message = line.replace(
    /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/gu,
    (odd) => `\\u{${odd.codePointAt(0).toString(16)}}`,
  );
  const remedy = /no space left/i.test(message) ? '; free some disk space, then run it again' : '';
  process.stderr.write(`audit-archive: ${message}${remedy}\n`);
  process.exit(FAILED);
}
