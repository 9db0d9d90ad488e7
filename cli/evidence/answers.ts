/** Asks the queries, and writes each answer as it comes, because an answer may hold every event of the period. */
import type { KeyObject } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { UTF8_MARK } from '../../lambdas/shared/text';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import { csvHead, csvRow, toTheSecond } from '../query-output';
import { type CopySql, openCopySql } from '../sql';
import { FIRST_COLUMNS } from './compare-events';
import type { Answer, Contents } from './contents';
import { askFacts, type Period } from './facts';
import { packagePaths } from './package-format';
import type { Question, Questions } from './questions';

export interface Asked extends Period {
  /** The folder of the package. */
  readonly out: string;
  /** The name of the archive in a sentence, such as "a copy of the bucket". */
  readonly source: string;
  readonly publicKey: KeyObject;
  readonly questions: Questions;
  readonly now: Date;
}

/** SQL leaves out each object that contradicts the manifests. `leftOut` counts them. */
export async function askAll(
  reader: ArchiveReader,
  { out, source, publicKey, questions: { questions, historyFrom }, now, from, to }: Asked,
): Promise<Pick<Contents, 'answers' | 'facts' | 'leftOut'>> {
  let leftOut = 0;
  const onAltered = () => {
    leftOut += 1;
  };
  const engine = await openCopySql(reader, source, { publicKey, from: historyFrom, to, now, onAltered });
  try {
    await mkdir(packagePaths(out).answers);
    const answers: Answer[] = [];
    for (const question of questions) answers.push(await answer(engine, out, question));
    await writeCsv(engine, packagePaths(out).events, eventsStatement({ from, to }));
    const completeness = questions.find(({ query }) => query.name === 'completeness')?.statement ?? '';
    return { answers, facts: await askFacts(engine, completeness, { from, to }), leftOut };
  } finally {
    engine.close();
  }
}

async function answer(
  engine: CopySql,
  out: string,
  { query, parameters, stated, statement, needs }: Question,
): Promise<Answer> {
  if (statement === undefined) return { query, parameters, stated, outcome: { needs } };
  const file = `answers/${query.name}.csv`;
  return { query, parameters, stated, outcome: { rows: await writeCsv(engine, join(out, file), statement), file } };
}

function eventsStatement({ from, to }: Period): string {
  const columns = `${FIRST_COLUMNS}, action, message, ip, user_agent, actor_id, actor_name, actor_username, actor_email,
  user_id, user_name, user_username, user_email, team_id, team_name, data, variables, late, archived_at, seq`;
  return `SELECT ${columns} FROM events WHERE dt BETWEEN '${from}' AND '${to}' ORDER BY event_time, id`;
}

/** Returns the number of rows. */
async function writeCsv(engine: CopySql, file: string, statement: string): Promise<number> {
  const { columns, rows } = await engine.stream(statement);
  let count = 0;
  async function* lines() {
    yield `${UTF8_MARK}${csvHead(columns)}\n`;
    for await (const some of rows) {
      count += some.length;
      yield toTheSecond({ columns, rows: some })
        .rows.map((row) => `${csvRow(row, columns)}\n`)
        .join('');
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
  return count;
}
