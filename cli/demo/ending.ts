/** The end of `npm start`: verifies the archive, compares it with the source, queries it, and tells where to look next. */

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bind, type Query, readQueries, statement } from '../../infra/queries/queries';
import { dateOf, midnight } from '../../lambdas/shared/time';
import { describeEvidence } from '../evidence';
import { makeEvidence } from '../evidence/make';
import { prepareQuestions } from '../evidence/questions';
import { exitCodes } from '../exit';
import { openFolder } from '../folder';
import { asTable } from '../query-output';
import { openFolderSql } from '../sql';
import { runVerify } from '../verify';
import { readKey } from '../verify-inputs';
import { archivePaths } from './local-archive';

const QUERIES = ['sign_ins_by_method', 'leavers_still_active', 'dormant_admins'];
/** Postman keeps the log for so long, so a first run brings no older event. */
const DAYS = 180;

interface Ending {
  readonly team: string;
  readonly archived: boolean;
  readonly print: (text: string) => void;
  compare(): boolean;
}

/** Returns the exit code. An archive is verified even where the last run has failed. */
export async function conclude(folder: string, { team, archived, print, compare }: Ending): Promise<number> {
  const at = archivePaths(folder);
  if (!archived && !existsSync(join(at.bucket, 'manifests'))) {
    print(`\nNothing has been archived yet. The handler's log: ${at.log}`);
    return exitCodes.failed;
  }
  // An archive that is not verified may not even be readable, so it is neither compared nor queried. Lines that a failed
  // run was served and could not archive are no finding.
  const isGood = (await verifyArchive(folder, print)) && (!archived || compare());
  if (isGood && archived) {
    await askQueries(at.bucket, print);
    await writeEvidence(folder, team, print);
  }
  print(whereToLook(folder));
  if (!isGood) return exitCodes.findings;
  return archived ? exitCodes.good : exitCodes.failed;
}

async function verifyArchive(folder: string, print: (text: string) => void): Promise<boolean> {
  const at = archivePaths(folder);
  print('\nVerified offline, with the pinned public key:');
  const flags = { key: at.publicKey, saveHead: at.heads, ...(existsSync(at.heads) && { head: at.heads }) };
  const indented = (text: string) => print(text.replace(/^/gm, '  '));
  return (await runVerify(await openFolder(at.bucket), flags, { print: indented, now: new Date() })) === exitCodes.good;
}

/** The SQL is the same that Athena runs over the deployed bucket. */
async function askQueries(bucket: string, print: (text: string) => void): Promise<void> {
  print('\nAsked in SQL (DuckDB here, Athena in AWS):');
  const sql = await openFolderSql(bucket, { now: new Date() });
  try {
    for (const query of readQueries().filter(({ name }) => QUERIES.includes(name))) {
      const answer = await sql.ask(overAllDays(query, new Date()));
      const rows = answer.rows.length === 0 ? 'No rows.' : asTable(answer, 118);
      print(`\n  ${query.name}: ${query.purpose}\n${rows.replace(/^/gm, '  ')}`);
    }
  } finally {
    sql.close();
  }
}

/** Replaces the package of the last start. */
async function writeEvidence(folder: string, team: string, print: (text: string) => void): Promise<void> {
  const at = archivePaths(folder);
  const now = new Date();
  const period = { from: dateOf(midnight(now, -DAYS)), to: dateOf(now) };
  const questions = prepareQuestions(team, period, {}, now);
  if (!('questions' in questions)) throw new Error(questions.join('; '));
  rmSync(at.evidence, { recursive: true, force: true });
  print('\nEvidence for an auditor, as one folder that verifies itself:');
  const about = { team, ...period, out: at.evidence, questions, now, heads: [], onStep: () => undefined };
  const [reader, publicKey] = [await openFolder(at.bucket), await readKey(at.publicKey)];
  const contents = await makeEvidence({ ...about, reader, source: 'a folder on one machine', publicKey });
  print(describeEvidence(contents, at.evidence).replace(/^/gm, '  '));
}

function overAllDays(query: Query, today: Date): string {
  const bound = bind(query, { from: dateOf(midnight(today, -DAYS)) }, today);
  if ('problems' in bound) throw new Error(`${query.name}: ${bound.problems.join('; ')}`);
  return statement(query, bound.values);
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
