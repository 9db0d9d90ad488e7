/** The chapter on the answers: each query with its parameters and its file, and the meaning of all columns. */
import { plural } from '../../lambdas/shared/text';
import type { Answer, Contents } from './contents';
import { type Html, html, table } from './html';

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
    const { query, file, rows: count, needs } = answer;
    const result =
      count === undefined
        ? html`Not asked: it needs ${needs.map((each) => html`<code>--param ${each}</code>`)}`
        : html`<a href="${file}">${plural(count, 'row')}</a>`;
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

/** The meaning of each column of `events.csv` and of the answers. A test holds the list to the columns that there are. */
export const COLUMNS: Readonly<Record<string, string>> = {
  action: 'the kind of the event, as Postman names it',
  actor_id:
    'the Postman id of the person who acted; actor_name, actor_username and actor_email describe the same person',
  actor_name: 'see actor_id',
  actor_username: 'see actor_id',
  actor_email: 'see actor_id',
  addresses: 'the number of different IP addresses',
  administrator_on: 'when the person was first seen as an administrator, UTC',
  api_key: 'the masked beginning of the key, or its name',
  archived: 'events of the day that the archive held when the sweep began',
  archived_at: 'when the event was archived, UTC',
  changed: 'events that the sweep met with other content than the archived one; blank where no sweep read the day',
  data: 'the details of the event, in JSON',
  dt: 'the UTC date of the event',
  event_time: 'when it happened, as Postman states it, in UTC and without fractions of a second',
  events: 'the number of archived events',
  external: 'true where the email address is in none of the domains that the company stated',
  first: 'the first time, UTC',
  first_seen: 'when the action first appeared in the history, UTC',
  gap_minutes: 'minutes that are lost in a gap; the time before the archive begins does not count',
  id: 'the id of the event, which is unique in the archive',
  idle_days: 'days without activity, up to the last day of the period',
  ip: 'the IP address, as Postman sent it',
  last: 'the last time, UTC',
  last_seen: 'the last activity of the person, UTC',
  late: 'in events.csv: true where the archive had already read past the time of the event when Postman first served it; elsewhere the number of such events',
  line: 'the whole line, as Postman sent it',
  local_time: 'event_time in the time zone of the parameter zone',
  meaning: 'the reason in words',
  message: `the message, as Postman sent it: a placeholder such as \${actor.name} is text from Postman`,
  method: 'the action, which names the way of the sign-in',
  minutes_late: 'minutes from the event until it was archived',
  missing: 'events that are archived and that Postman no longer served to the sweep; blank where no sweep read the day',
  new: 'whether the address or the browser is new for the person, or both',
  part: 'whether the event was done by the person or to the person',
  people: 'the number of different people who acted',
  quarantined: 'lines of the day that are in quarantine',
  reason: 'why the line is in quarantine',
  removed_at: 'when the person was removed from the team, UTC',
  runs: 'runs that began on that day; a run of a later day may have read it',
  seq: 'the number of the signed manifest that lists the event',
  served: 'events of the day that Postman served to the sweep',
  sign_ins: 'the number of sign-ins',
  state:
    'whether the day was read completely, in part or not at all, or has a gap; in events_per_day also whether its events are there',
  sweep: 'how the newest sweep of the day ended; blank where there was none',
  swept_at: 'when that sweep began, UTC',
  team: 'the name of the team in the archive',
  team_id: 'the id of the team at Postman; team_name is its name',
  team_name: 'see team_id',
  user_agent: 'the browser or client, as Postman sent it',
  user_id:
    'the Postman id of the person to whom it was done; user_name, user_username and user_email describe the same person',
  user_name: 'see user_id',
  user_username: 'see user_id',
  user_email: 'see user_id',
  variables: 'the values for the placeholders of the message, and more about the event, in JSON',
  what: 'the item that was changed or shared',
  who: 'the email address, username, name or id of the person who acted: the first of these that the event has',
  whom: 'the same for the person to whom it was done',
  why: 'why the sign-in is listed',
  with_whom: 'the person or group with whom the item was shared, where the event says it',
};
