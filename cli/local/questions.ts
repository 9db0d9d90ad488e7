/** A few of an auditor's questions, answered by SQL over the folder, as Athena answers them over the bucket. */
import Table from 'cli-table3';
import { openSql } from '../sql';

const QUESTIONS: Readonly<Record<string, string>> = {
  'What happened most in the last 30 days?': `
    SELECT action, count(*) AS events, count(DISTINCT actor_id) AS people
    FROM events WHERE event_time > now() - INTERVAL 30 DAY GROUP BY action ORDER BY events DESC, action LIMIT 8`,
  'Who changed roles, or created admin API keys, most recently?': `
    SELECT strftime(event_time, '%Y-%m-%d %H:%M') AS at, action, actor_email AS who
    FROM events WHERE action IN ('team.update_user_roles', 'admin.apikey_create') ORDER BY event_time DESC LIMIT 5`,
  'How do people sign in, and from how many addresses?': `
    SELECT action, count(*) AS sign_ins, count(DISTINCT actor_id) AS people, count(DISTINCT ip) AS addresses
    FROM events WHERE action LIKE 'user.login%' GROUP BY action ORDER BY sign_ins DESC`,
};

export async function answerQuestions(bucket: string, print: (text: string) => void): Promise<void> {
  const sql = await openSql(bucket);
  try {
    for (const [question, statement] of Object.entries(QUESTIONS)) {
      const { columns, rows } = await sql.ask(statement);
      const table = new Table({ head: [...columns], style: { head: [], border: [], compact: true } });
      for (const row of rows) table.push(row.map(String));
      print(`\n  ${question}\n${table.toString().replace(/^/gm, '  ')}`);
    }
  } finally {
    sql.close();
  }
}
