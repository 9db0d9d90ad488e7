/** How `npm start` ends: what there is, proven, compared with what was served, and asked; and where to look next. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { exitCodes } from '../exit';
import { runVerify } from '../verify';
import { archivePaths } from './local-archive';
import { answerQuestions } from './questions';

interface Ending {
  readonly archived: boolean;
  readonly print: (text: string) => void;
  compare(): boolean;
}

/** What there is, is proven even where a run failed. The exit code. */
export async function conclude(folder: string, { archived, print, compare }: Ending): Promise<number> {
  const at = archivePaths(folder);
  if (!archived && !existsSync(join(at.bucket, 'manifests'))) {
    print(`\nNothing has been archived yet. The handler's log: ${at.log}`);
    return exitCodes.failed;
  }
  // What is not proven may not even be readable, and then there is nothing to compare.
  const good = (await prove(folder, print)) && compare();
  if (good && archived) await ask(at.bucket, print);
  print(whereToLook(folder));
  if (!good) return exitCodes.findings;
  return archived ? exitCodes.good : exitCodes.failed;
}

async function prove(folder: string, print: (text: string) => void): Promise<boolean> {
  const at = archivePaths(folder);
  print('\nVerified offline, with the pinned public key:');
  const head = existsSync(at.heads) ? { head: at.heads } : {};
  const flags = { key: at.publicKey, saveHead: at.heads, ...head };
  const indented = (text: string) => print(text.replace(/^/gm, '  '));
  return (await runVerify(at.bucket, flags, { print: indented, now: new Date() })) === exitCodes.good;
}

async function ask(bucket: string, print: (text: string) => void): Promise<void> {
  print('\nAsked in SQL (DuckDB here, Athena in AWS):');
  await answerQuestions(bucket, print);
}

function whereToLook(folder: string): string {
  const at = archivePaths(folder);
  return `
Look next:
  ${at.bucket}/events/      what SQL sees: zcat any of it
  ${at.bucket}/manifests/   the signed chain: jq -r .payload FILE | base64 -d | jq
  ${at.log.padEnd(at.bucket.length + 11)}   every line the handler logged
  npx audit-archive verify ${at.bucket} --key ${at.publicKey}
Run it again to go on with this archive; delete ${folder} to begin anew.`;
}
