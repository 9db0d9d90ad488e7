/**
 * The Postman team that the events belong to. An API key of another team is refused before anything is archived, because
 * events under the wrong name would stay there under lock.
 */
import { SOURCE_TEAM_PATTERN } from '../shared/contract';
import { IntegrityError } from '../shared/errors';
import type { AuditEvent } from '../shared/event';

const MAX_SOURCE_TEAMS = 100;

/**
 * The first page that names any team must name one that the chain has met, or the other team that is accepted. A manifest
 * holds at most 100 teams, so a chain that has met 100 teams is no longer checked. `met` lists the teams of the chain so far,
 * sorted. Any other text that an event names as its team is left out.
 */
export function createTeamCheck(chain: readonly string[], acceptedId: string | null) {
  const met = new Set(chain);
  let checked = chain.length === 0 || chain.length >= MAX_SOURCE_TEAMS;

  function meet(events: readonly AuditEvent[]): void {
    const texts = new Set(events.map(({ sourceTeam = '' }) => sourceTeam));
    const named = [...texts].filter((text) => SOURCE_TEAM_PATTERN.test(text));
    if (!checked && named.length > 0) {
      if (!named.some((team) => met.has(team) || team === acceptedId)) throw otherTeam();
      checked = true;
    }
    for (const team of named) if (met.size < MAX_SOURCE_TEAMS) met.add(team);
  }

  return { meet, met: () => [...met].sort() };
}

function otherTeam(): IntegrityError {
  return new IntegrityError(
    'team-mismatch',
    'the API key belongs to a Postman team that this chain has never met, and nothing was written. Store the right key in ' +
      'the parameter, or, if the team really changed, set its "acceptOtherTeamId" in cdk.json to the id of the new team and ' +
      'deploy',
  );
}
