/** The chapter on the answers: each query with its parameters and its file, and the meaning of all columns. */
import { plural } from '../../lambdas/shared/text';
import { COLUMNS } from './columns';
import type { Answer, Contents } from './contents';
import { type Html, html } from './html';
import { table } from './tables';

/** The sentences from here on are for those who run the query themselves. */
const FOR_ANALYSTS = / (?:In the console|By default|Days before the archive begins|The query reads)\b.*$/;

/** The parameters that every query has. The top of the report states them. */
const PERIOD = ['team', 'from', 'to'];

const STATED: Readonly<Record<string, string>> = {
  office: 'The company stated these networks as its offices',
  domains: 'The company stated these email domains as its own',
};

export function answerChapter({ answers }: Contents): Html {
  const rows = answers.map((answer) => {
    const { query, outcome } = answer;
    const result =
      'needs' in outcome
        ? html`Not asked: it needs ${outcome.needs.map((each) => html`<code>--param ${each}</code>`)}`
        : html`<a href="${outcome.file}">${plural(outcome.rows, 'row')}</a>`;
    const purpose = query.purpose.replace(FOR_ANALYSTS, '');
    return html`<tr><th scope="row">${query.name}</th><td>${purpose} <span class="none">${parametersOf(answer)}</span></td><td>${query.controls.join('; ')}</td><td>${result}</td></tr>`;
  });
  const columns = Object.entries(COLUMNS).map(
    ([name, meaning]) => html`<tr><th scope="row">${name}</th><td>${meaning}</td></tr>`,
  );
  return html`<h2>Answers</h2>
<p>These are the saved queries of the archive, asked over the period. Some of them compare it with earlier days, from
<code>history_from</code> on. The earlier days were read from the archive and are not in this package.</p>
${table('Answers', ['Query', 'What it shows', 'Controls', 'Answer'], rows)}
<p><a href="events.csv">events.csv</a> has every event of the period.</p>
<h2>Columns of the CSV files</h2>
<p>All times are UTC, except local_time. A text that a spreadsheet would take for a formula has an apostrophe before it. A broken character
of an event (half of a surrogate pair) is shown as <code>?</code>. The archive holds every line as Postman sent it.</p>
${table('Columns', ['Column', 'Meaning'], columns)}`;
}

function parametersOf({ parameters, stated }: Answer): string {
  const own = Object.entries(parameters).filter(([name]) => !PERIOD.includes(name));
  const given = own.filter(([name]) => stated[name] !== undefined);
  const others = own.filter(([name]) => stated[name] === undefined).map(([name, value]) => `${name} = ${value}`);
  return [
    ...given.map(([name, value]) => `${STATED[name] ?? `The company stated ${name}`}: ${value}.`),
    ...(others.length > 0 ? [`Defaults: ${others.join(', ')}.`] : []),
  ].join(' ');
}
