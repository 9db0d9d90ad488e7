/**
 * A demo team that outlives the process: `state.json` holds what the story cannot give again (its seed and anchor, and
 * whatever was added to it since), so the next start goes on with the same ids and bodies.
 */
import { existsSync, mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createTable, type MutableTable, type SourceEvent } from './source-table';
import { type Arrival, createSourceTeam, type TeamOptions } from './source-team';

export interface TeamFolder {
  /** Read it; write to it only by the functions below. */
  readonly table: MutableTable;
  /** Lets the story go on. Call it with every instant the server is asked at. */
  playTo(now: Date): void;
  /** Adds routine events outside the story: late ones where `visibleFrom` is later than `at`. */
  arrive(count: number, times: Pick<Arrival, 'at' | 'visibleFrom'>): readonly SourceEvent[];
}

interface State {
  readonly team: Omit<TeamOptions, 'anchor'> & { readonly anchor: string };
  readonly arrivals: number;
  readonly events: readonly SourceEvent[];
}

/** Goes on with the team in the folder, or begins the one that `fresh` describes. */
export function openTeamFolder(folder: string, fresh: TeamOptions): TeamFolder {
  const file = join(folder, 'state.json');
  mkdirSync(folder, { recursive: true });
  let state = existsSync(file)
    ? (JSON.parse(readFileSync(file, 'utf8')) as State)
    : { team: { ...fresh, anchor: fresh.anchor.toISOString() }, arrivals: 0, events: [] };
  const anchor = new Date(state.team.anchor);
  const team = createSourceTeam({ ...state.team, anchor });
  const table = createTable([...team.playTo(anchor), ...state.events]);
  save(file, state);

  return {
    table,
    playTo: (now) => {
      const played = team.playTo(now);
      if (played.length > 0) table.put(played);
    },
    arrive: (count, times) => {
      const events: SourceEvent[] = [];
      const isTaken = (row: number) => table.get(row) !== undefined || events.some((event) => event.row === row);
      for (let nth = 0; nth < count; nth += 1) events.push(team.arrival(state.arrivals + nth, { ...times, isTaken }));
      state = { ...state, arrivals: state.arrivals + count, events: [...state.events, ...events] };
      save(file, state);
      table.put(events);
      return events;
    },
  };
}

/** Whole or not at all, so that no end of this process leaves half a state. */
function save(file: string, state: State): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}
