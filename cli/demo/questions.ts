/** A few of the auditors' queries over the folder, word for word as Athena answers them over the bucket. */
import { bind, type Query, readQueries, statement } from '../../infra/queries/queries';
import { dateOf, midnight } from '../../lambdas/shared/keys';
import { asTable } from '../answer';
import { openFolderSql } from '../sql';

const QUESTIONS = ['sign_ins_by_method', 'leavers_still_active', 'dormant_admins'];
/** As long as Postman keeps its log: what a first run can have brought. */
const DAYS = 180;

export async function answerQuestions(bucket: string, print: (text: string) => void): Promise<void> {
  const sql = await openFolderSql(bucket);
  try {
    for (const query of readQueries().filter(({ name }) => QUESTIONS.includes(name))) {
      const answer = await sql.ask(overAll(query, new Date()));
      const rows = answer.rows.length === 0 ? 'No rows.' : asTable(answer, { width: 118 });
      print(`\n  ${query.name}: ${query.purpose}\n${rows.replace(/^/gm, '  ')}`);
    }
  } finally {
    sql.close();
  }
}

function overAll(query: Query, today: Date): string {
  const bound = bind(query, { from: dateOf(midnight(today, -DAYS)) }, today);
  if ('problems' in bound) throw new Error(`${query.name}: ${bound.problems.join('; ')}`);
  return statement(query, bound.values);
}
