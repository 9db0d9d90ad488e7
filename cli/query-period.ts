/**
 * The period of an answer and the period of the archive. An auditor takes an answer without rows for "it never happened", so no
 * answer is given without the days that were asked, the days that the archive has, and what asks for the rest.
 */
import type { Values } from '../infra/queries/queries';
import { plural } from '../lambdas/shared/text';
import type { SqlEngine } from './sql-engine';

export type ArchivedTeam = Awaited<ReturnType<typeof askArchive>>['teams'][number];

/** More teams are described together. */
const MOST_TEAMS = 3;

/** The period of each team, as its manifests state it. `isAsked` tells whether its name matches the pattern. */
export async function askArchive(engine: SqlEngine, pattern: string) {
  const result = await engine.ask(archiveStatement(pattern));
  const teams = result.rows.map(([team, asked, first, last, firstSegment, lastSegment]) => {
    // From when to when the log is archived: `YYYY-MM-DD HH:MM:SS`, UTC.
    const [from, to] = [(first ?? '').slice(0, 19), (last ?? '').slice(0, 19)];
    // The archive has events, quarantined lines or an empty answer of the source from the first of these days to the last.
    const days = [from.slice(0, 10), to.slice(0, 10), firstSegment, lastSegment].filter((day) => day != null).sort();
    const [firstDay = '', lastDay = ''] = [days.at(0), days.at(-1)];
    return { team: team ?? '', isAsked: asked === 'true', from, to, firstDay, lastDay };
  });
  return { teams, result };
}

export function archiveStatement(team: string): string {
  return `SELECT team, team LIKE '${team.replaceAll("'", "''")}' AS asked, min(chain_start) AS first, max(position) AS last,
  min(array_min(days)) AS first_day, max(array_max(days)) AS last_day
FROM (SELECT *, regexp_extract_all(segments, '/dt=([0-9-]{10})/', 1) AS days FROM manifests) AS listed
GROUP BY team
ORDER BY team`;
}

/** Defaults that mean the whole archive become its first day, so that Athena does not look for folders of earlier days. */
export function fromFirstDay(values: Values, given: Partial<Values>, teams: readonly ArchivedTeam[]): Values {
  const { firstDay } = extent(teams);
  const changed: Record<string, string> = { ...values };
  let latest = values.to ?? '';
  for (const name of ['from', 'history_from']) {
    const day = values[name];
    if (day === undefined) continue;
    if (given[name] === undefined && day < firstDay) changed[name] = firstDay < latest ? firstDay : latest;
    latest = changed[name] ?? latest;
  }
  return changed;
}

/** The first line about an answer. */
export function headline(rows: number, values: Values, teams: readonly ArchivedTeam[]): string {
  const { history_from: history = '', from = history, to = '' } = values;
  const { firstDay, lastDay } = extent(teams);
  const option = values.from === undefined ? '--param history_from=' : '--from ';
  const options = [from > firstDay ? option + firstDay : '', to < lastDay ? `--to ${lastDay}` : ''].filter(Boolean);
  const found = rows === 0 ? 'No rows' : `${plural(rows, 'row')}, times in UTC,`;
  const rest =
    options.length === 0
      ? 'That is the whole archive.'
      : `The archive has other days too: ${options.join(' ')} asks for all of them.`;
  return `${found} from ${from} to ${to}. ${describeTeams(teams)} ${teams.length === 0 ? '' : rest}`.trim();
}

function describeTeams(teams: readonly ArchivedTeam[]): string {
  if (teams.length === 0) return 'The archive has no manifest yet, so nothing was archived.';
  if (teams.length <= MOST_TEAMS)
    return teams.map(({ team, from, to }) => `Team ${team} is archived from ${from} to ${to} UTC.`).join(' ');
  const first = sorted(teams, ({ from }) => from)[0];
  const newest = sorted(teams, ({ to }) => to).at(-1);
  return `${teams.length} teams are archived, the first of them from ${first}, and the newest to ${newest} UTC.`;
}

function extent(teams: readonly ArchivedTeam[]): { firstDay: string; lastDay: string } {
  const [firstDay = ''] = sorted(teams, (each) => each.firstDay);
  return { firstDay, lastDay: sorted(teams, (each) => each.lastDay).at(-1) ?? '' };
}

function sorted(teams: readonly ArchivedTeam[], textOf: (team: ArchivedTeam) => string): readonly string[] {
  return teams.map(textOf).sort();
}
