/**
 * A demo team that outlives the process. `state.json` holds the seed and the anchor of the team and the events that were
 * added to its story, so the next start continues with the same ids and texts.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTable, type SourceEvent } from './source-table';
import { type Arrival, createSourceTeam, type TeamOptions } from './source-team';

export type TeamFolder = ReturnType<typeof openTeamFolder>;

interface State {
  readonly team: Omit<TeamOptions, 'anchor'> & { readonly anchor: string };
  readonly events: readonly SourceEvent[];
}

/** Continues the team in the folder, or begins the one that `fresh` describes where the folder holds none. */
export function openTeamFolder(folder: string, fresh: TeamOptions) {
  const file = join(folder, 'state.json');
  mkdirSync(folder, { recursive: true });
  let state = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as State)
    : { team: { ...fresh, anchor: fresh.anchor.toISOString() }, events: [] };
  const anchor = new Date(state.team.anchor);
  const team = createSourceTeam({ ...state.team, anchor });
  const table = createTable([...team.playTo(anchor), ...state.events]);
  save(file, state);

  return {
    /** Read only. The two functions below add events to it. */
    table,
    /** Adds the events of the story up to the day of `now`. Call it with the instant of every request. */
    playTo: (now: Date): void => {
      const played = team.playTo(now);
      if (played.length > 0) table.put(played);
    },
    /** Adds routine events outside of the story. They are late events where `visibleFrom` lies after `at`. */
    arrive: (count: number, times: Arrival): readonly SourceEvent[] => {
      const events = Array.from({ length: count }, (_, nth) => team.arrival(state.events.length + nth, times));
      state = { ...state, events: [...state.events, ...events] };
      save(file, state);
      table.put(events);
      return events;
    },
  };
}

/** The rename replaces the file in one step, so a crash never leaves a partial state. */
function save(file: string, state: State): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}
