/** The end of `npm start`: verifies the archive, compares it with the source, queries it, and tells where to look next. */

import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bind, readQueries, statement, type Values } from '../../infra/queries/queries';
import { figure, plural } from '../../lambdas/shared/text';
import { dateOf, midnight } from '../../lambdas/shared/time';
import { makeEvidence } from '../evidence/make';
import { packagePaths, SEND_APART } from '../evidence/package-format';
import { prepareQuestions } from '../evidence/questions';
import { exitCodes } from '../exit';
import { openFolder } from '../folder';
import { asTable } from '../query-output';
import { openFolderSql } from '../sql';
import { checkArchive } from '../verify';
import { readKey } from '../verify-inputs';
import { describe, describeGaps } from '../verify-output';
import { archivePaths } from './local-archive';
import { INDENT, type Screen, say, section } from './screen';

/** Each saved query, and the columns of its answer that fit into a narrow terminal. */
const QUERIES = new Map([
  ['dormant_admins', 'who, date(administrator_on) AS administrator_on, date(last_seen) AS last_seen, idle_days'],
  ['leavers_still_active', 'who, date(removed_at) AS removed_on, action, date(event_time) AS acted_on'],
]);
/** Postman keeps the log for so long, so a first run brings no older event. */
const DAYS = 180;

interface Ending {
  readonly team: string;
  readonly archived: boolean;
  readonly screen: Screen;
  /** Undefined for a source that cannot tell what it has served. */
  readonly compare?: () => boolean;
  /** The parameters of those queries that have no default. Without them, such a query is not asked for the evidence. */
  readonly parameters?: Values;
  readonly now: Date;
}

/** Returns the exit code. An archive is verified even where the last run has failed. */
export async function conclude(folder: string, ending: Ending): Promise<number> {
  const { archived, screen, compare = () => true, now } = ending;
  const at = archivePaths(folder);
  if (!archived && !existsSync(join(at.bucket, 'manifests'))) {
    screen.print('');
    say(screen, `Nothing has been archived yet. The log of the handler: ${at.log}`);
    return exitCodes.failed;
  }
  // An archive that is not verified may not even be readable, so it is neither compared nor queried. Lines that a failed
  // run was served and could not archive are no finding.
  const isGood = (await verifyArchive(at, screen, now)) && (!archived || compare());
  if (isGood && archived) {
    await askQueries(at.bucket, screen, now);
    await writeEvidence(at, ending);
  }
  tellWhereToLook(folder, screen);
  if (!isGood) return exitCodes.findings;
  if (!archived) return exitCodes.failed;
  tellWhatWasProved(at, ending);
  return exitCodes.good;
}

type Paths = ReturnType<typeof archivePaths>;

async function verifyArchive(at: Paths, screen: Screen, now: Date): Promise<boolean> {
  const flags = { key: at.publicKey, saveHead: at.heads, ...(existsSync(at.heads) && { head: at.heads }) };
  const { verification, publicKeyId, clean } = await checkArchive(await openFolder(at.bucket), flags, now);
  const how = 'With the public key alone, as an auditor does it:';
  const [team] = verification.teams;
  if (!clean || team === undefined) {
    section(screen, 'VERIFY', how);
    for (const line of describe(verification, { clean, now, keyId: publicKeyId, ...flags })) screen.print(line);
    return false;
  }
  const { manifests, events, quarantined } = team;
  const facts = `${plural(manifests, 'manifest')}, ${plural(events, 'event')} and ${plural(quarantined, 'line')} in quarantine`;
  const result = `${how} nothing is missing, added or changed in ${facts} so far.`;
  section(screen, 'VERIFY', result, ...describeGaps(team));
  return true;
}

/** The SQL is the same that Athena runs over the deployed bucket. */
async function askQueries(bucket: string, screen: Screen, now: Date): Promise<void> {
  section(screen, 'ASK', 'In SQL, with DuckDB here and with Athena in AWS, two of the saved questions of auditors:');
  const sql = await openFolderSql(bucket, { now });
  try {
    for (const query of readQueries().filter(({ name }) => QUERIES.has(name))) {
      const bound = bind(query, {}, now);
      if ('problems' in bound) throw new Error(`${query.name}: ${bound.problems.join('; ')}`);
      const answer = await sql.ask(`SELECT ${QUERIES.get(query.name)} FROM (${statement(query, bound.values)})`);
      say(screen, `${query.name}: ${query.purpose.replace(/(?<=\.)\s.*$/s, '')}`, '  ');
      const table = answer.rows.length === 0 ? 'No rows.' : asTable(answer, screen.width - 2);
      screen.print(table.replace(/^/gm, '  '));
    }
  } finally {
    sql.close();
  }
}

/** Replaces the package of the last start. */
async function writeEvidence(at: Paths, { team, screen, parameters = {}, now }: Ending): Promise<void> {
  const period = { from: dateOf(midnight(now, -DAYS)), to: dateOf(now) };
  const questions = prepareQuestions(team, period, parameters, now);
  if (!('questions' in questions)) throw new Error(questions.join('; '));
  rmSync(at.evidence, { recursive: true, force: true });
  const { answers, packageSha256 } = await makeEvidence({
    ...{ team, ...period, out: at.evidence, source: 'a folder on one machine', questions, now, heads: [] },
    reader: await openFolder(at.bucket),
    publicKey: await readKey(at.publicKey),
    onStep: () => undefined,
  });
  const asked = answers.filter(({ rows }) => rows !== undefined).length;
  section(
    screen,
    'EVIDENCE',
    `For an auditor, a folder with a report, the answers to ${figure(asked)} questions, every event of ${period.from} to ${period.to}, and a verifier that needs only Node:`,
  );
  screen.print(`${INDENT}node ${packagePaths(at.evidence).verifier}`);
  say(screen, SEND_APART, INDENT);
  screen.print(INDENT + packageSha256);
}

function tellWhereToLook(folder: string, screen: Screen): void {
  section(screen, 'LOOK', `In ${folder}:`);
  for (const [path, what] of [
    ['bucket/events/', 'the events by date: gzip -dc FILE'],
    ['bucket/manifests/', "the signed chain: jq -r '.payload|@base64d' FILE"],
    ['handler.log', 'what the handler logged'],
  ] as const)
    say(screen, what, `${INDENT}${path.padEnd(18)} `);
  say(screen, 'The next npm start goes on with this archive; without the folder it begins anew.', INDENT);
}

function tellWhatWasProved(at: Paths, { screen, compare }: Ending): void {
  const what =
    compare === undefined
      ? 'What Postman has served is archived, signed and unchanged'
      : 'Every line that the server has served is in the archive exactly once, byte for byte, and signed';
  section(screen, 'PROVED', `${what}; anyone with the public key can check it offline.`);
  screen.print(INDENT + packagePaths(at.evidence).report);
}
