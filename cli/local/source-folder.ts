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
  /** When the team was first started. */
  readonly anchor: Date;
  /** Lets the story go on. Call it with every instant the server is asked at. */
  playTo(now: Date): void;
  /** Adds routine events outside the story: late ones where `visibleFrom` is later than `at`. */
  arrive(count: number, times: Pick<Arrival, 'at' | 'visibleFrom'>): readonly SourceEvent[];
  /** Adds, edits, removes or restores events, for good. */
  put(events: readonly SourceEvent[]): void;
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

  function put(events: readonly SourceEvent[], arrivals = 0): void {
    const rows = new Set(events.map(({ row }) => row));
    const others = state.events.filter(({ row }) => !rows.has(row));
    state = { ...state, arrivals: state.arrivals + arrivals, events: [...others, ...events] };
    save(file, state);
    table.put(events);
  }

  return {
    table,
    anchor,
    put: (events) => put(events),
    playTo: (now) => {
      const played = team.playTo(now);
      // Days that an earlier process had reached already: what was changed in them since stays changed.
      if (played.length > 0) table.put([...played, ...state.events]);
    },
    arrive: (count, times) => {
      const events: SourceEvent[] = [];
      const isTaken = (row: number) => table.get(row) !== undefined || events.some((event) => event.row === row);
      for (let nth = 0; nth < count; nth += 1) events.push(team.arrival(state.arrivals + nth, { ...times, isTaken }));
      put(events, count);
      return events;
    },
  };
}

/** Whole or not at all, so that no end of this process leaves half a state. */
function save(file: string, state: State): void {
  writeFileSync(`${file}.new`, JSON.stringify(state));
  renameSync(`${file}.new`, file);
}
