/**
 * Asks the saved queries, each with its parameters for the period, and writes each answer as it comes, because an answer may hold
 * every event of the period. A query whose parameter nobody gave is not asked.
 */
import { createWriteStream } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { FIRST_DATE } from '../../infra/queries/dates';
import { bind, readQueries, statement, type Values } from '../../infra/queries/queries';
import { TEAM_PATTERN } from '../../lambdas/shared/object-keys';
import { UTF8_MARK } from '../../lambdas/shared/text';
import { dateOf, midnight } from '../../lambdas/shared/time';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import { csvHead, csvRow, toTheSecond } from '../query-output';
import { type CopySql, openCopySql } from '../sql';
import { FIRST_COLUMNS } from './compare-events';
import type { Answer, Contents, EvidenceRequest, Question, Questions } from './contents';
import { askFacts, type Period } from './facts';
import { packagePaths } from './package-format';

/** Returns the questions, or everything that is wrong with the given parameters. */
export function prepareQuestions(
  team: string,
  period: Period,
  param: Values,
  now: Date,
): Questions | readonly string[] {
  const given: Values = { ...param, team, ...period };
  const queries = readQueries();
  const names = new Set(queries.flatMap(({ parameters }) => parameters.map(({ name }) => name)));
  const unknown = Object.keys(param).filter((name) => !names.has(name));
  const problems = new Set(unknown.map((name) => `no query has a parameter ${JSON.stringify(name)}`));
  if (!TEAM_PATTERN.test(team)) problems.add(`${JSON.stringify(team)} is not the name of a team`);
  if (period.from < FIRST_DATE) problems.add(`from must not be earlier than ${FIRST_DATE}: no event is older`);
  if (period.to > dateOf(midnight(now, 1))) problems.add('to must not be later than tomorrow');
  const questions = queries.map((query): Question => {
    const own = query.parameters.flatMap(({ name }) => (given[name] === undefined ? [] : [[name, given[name]]]));
    const known: Values = Object.fromEntries(own);
    const missing = query.parameters.filter(({ name, preset }) => (known[name] ?? preset) === undefined);
    const needs = missing.map(({ name, example }) => `${name}=${example}`);
    if (needs.length > 0) return { query, parameters: known, stated: param, statement: undefined, needs };
    const bound = bind(query, known, now);
    if ('problems' in bound) for (const problem of bound.problems) problems.add(problem);
    const parameters = 'values' in bound ? bound.values : known;
    return { query, parameters, stated: param, statement: statement(query, parameters), needs };
  });
  if (problems.size > 0) return [...problems];
  const [historyFrom = period.from] = questions.map(({ parameters }) => parameters.history_from ?? period.from).sort();
  return { questions, historyFrom };
}

/** SQL leaves out each object that contradicts the manifests. */
export async function askAll(
  reader: ArchiveReader,
  { out, source, publicKey, questions: { questions, historyFrom }, now, from, to }: EvidenceRequest,
): Promise<Pick<Contents, 'answers' | 'facts' | 'leftOut'>> {
  let leftOut = 0;
  const onAltered = () => {
    leftOut += 1;
  };
  const engine = await openCopySql(reader, source, { publicKey, from: historyFrom, to, now, onAltered });
  try {
    await mkdir(packagePaths(out).answers);
    const answers: Answer[] = [];
    for (const question of questions) {
      const { query, statement: sql } = question;
      const file = `answers/${query.name}.csv`;
      const rows = sql === undefined ? undefined : await writeCsv(engine, join(out, file), sql);
      answers.push({ ...question, file, rows });
    }
    await writeCsv(engine, packagePaths(out).events, eventsStatement({ from, to }));
    const completeness = questions.find(({ query }) => query.name === 'completeness')?.statement ?? '';
    return { answers, facts: await askFacts(engine, completeness, { from, to }), leftOut };
  } finally {
    engine.close();
  }
}

function eventsStatement({ from, to }: Period): string {
  const columns = `${FIRST_COLUMNS}, action, message, ip, user_agent, actor_id, actor_name, actor_username, actor_email,
  user_id, user_name, user_username, user_email, team_id, team_name, data, variables, late, archived_at, seq`;
  return `SELECT ${columns} FROM events WHERE dt BETWEEN '${from}' AND '${to}' ORDER BY event_time, id`;
}

/** Returns the number of rows. */
async function writeCsv(engine: CopySql, file: string, sql: string): Promise<number> {
  const { columns, rows } = await engine.stream(sql);
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
