/**
 * The commands of `docs/runbook.md`, each block under a name. The suites `engines` and `deploy` type them as they stand, and
 * `test/docs/runbook.test.ts` fails if no suite types one of them.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export const runbookText = readFileSync(join(import.meta.dirname, '../../docs/runbook.md'), 'utf8');

/** The code blocks of a kind, such as `sh`, in the whole runbook or in a section of it. */
export function blocksIn(kind: string, text = runbookText): string[] {
  return [...text.matchAll(new RegExp(`^ *\`\`\`${kind}\\n(.*?)^ *\`\`\`$`, 'gms'))].map(([, body = '']) => body);
}

const commands = blocksIn('sh');

/** The only block that matches. */
function block(pattern: RegExp): string {
  const [found, ...others] = commands.filter((each) => pattern.test(each));
  if (found === undefined || others.length > 0) throw new Error(`not exactly one block matches ${pattern}`);
  return found;
}

export const runbook = {
  names: block(/^BUCKET=/),
  schedules: block(/list-schedules .*State/),
  versions: block(/list-object-versions .*"\$OBJECT"/),
  verifyWithHeads: block(/verify .*--head/),
  verify: block(/verify .*\.pem\n/),
  unhandled: block(/receive-message/),
  purge: block(/purge-queue/),
  asBreakGlass: block(/assume-role/),
  hide: block(/delete-object .*"\$OBJECT"\n/),
  unhide: block(/delete-object .*"\$MARKER"/),
  fetch: block(/get-object .*"\$LISTED"/),
  payloadHash: block(/jq -r \.payload genuine/),
  exempt: block(/WriteOnlyAsArchiver/),
  create: block(/put-object /),
  restorePolicy: block(/file:\/\/policy\.json/),
  forget: block(/dynamodb delete-item/),
  newTable: block(/dynamodb create-table/),
  markers: block(/list-object-versions .*DeleteMarkers/),
  cutOut: block(/get-object .*--range/),
  enableSchedule: block(/update-schedule/),
  lockBucket: block(/put-object-lock-configuration/),
  promisedUntil: block(/^UNTIL=/m),
  lockObject: block(/put-object-retention/),
  enableKey: block(/enable-key/),
  subscribe: block(/sns subscribe/),
} as const;
