/**
 * What the views must show, worked out from the source's own lines. Only what no event can know is read from the
 * archive, with plain gunzip and `JSON.parse`: which manifest committed a line, and what that run had come to before.
 */
import { gunzipSync } from 'node:zlib';
import { scalarAt, textAt, tokenAt } from './first-wins';
import { dateText } from './logs';

export type Objects = ReadonlyMap<string, Buffer>;

/** The columns of the view `events`, as text; instants as SQL writes them. */
export interface EventRow {
  readonly team: string;
  readonly dt: string;
  readonly id: string;
  readonly event_time: string;
  readonly archived_at: string;
  readonly seq: string;
  readonly late: string;
  readonly action: string | null;
  readonly message: string | null;
  readonly ip: string | null;
  readonly user_agent: string | null;
  readonly actor_id: string | null;
  readonly actor_name: string | null;
  readonly actor_username: string | null;
  readonly actor_email: string | null;
  readonly user_id: string | null;
  readonly user_name: string | null;
  readonly user_username: string | null;
  readonly user_email: string | null;
  readonly team_id: string | null;
  readonly team_name: string | null;
  readonly data: string | null;
  readonly variables: string | null;
  readonly line: string;
}

export interface Chain {
  readonly team: string;
  readonly manifests: readonly Manifest[];
}

interface Manifest {
  readonly seq: number;
  readonly run: { readonly id: string; readonly finished: string; readonly walkStart: string };
  readonly start: string;
  readonly position: string;
  readonly gaps: readonly { readonly from: string; readonly to: string }[];
}

/** Where a line is stored: `events/team=main/dt=2026-01-01/0000000001.ndjson.gz`. */
export interface Place {
  readonly team: string;
  readonly dt: string;
  readonly seq: number;
}

export function chainsOf(objects: Objects): readonly Chain[] {
  const chains = new Map<string, Manifest[]>();
  for (const [key, bytes] of [...objects].sort(([a], [b]) => (a < b ? -1 : 1))) {
    const team = /^manifests\/team=([^/]+)\//.exec(key)?.[1];
    if (team === undefined) continue;
    const payload = Buffer.from(JSON.parse(bytes.toString()).payload, 'base64').toString();
    chains.set(team, [...(chains.get(team) ?? []), JSON.parse(payload)]);
  }
  return [...chains].map(([team, manifests]) => ({ team, manifests }));
}

/** Every line of an area, with its place. */
export function placesOf(objects: Objects, area: 'events' | 'quarantine'): { place: Place; line: string }[] {
  return [...objects].flatMap(([key, bytes]) => {
    const match = /^(\w+)\/team=([^/]+)\/dt=([^/]+)\/(\d+)\.ndjson\.gz$/.exec(key);
    if (match?.[1] !== area) return [];
    const place = { team: String(match[2]), dt: String(match[3]), seq: Number(match[4]) };
    return gunzipSync(bytes)
      .toString()
      .split('\n')
      .slice(0, -1)
      .map((line) => ({ place, line }));
  });
}

/** One row for each line that the sources served and that is fit for `events/`. */
export function eventRows(lines: Readonly<Record<string, readonly string[]>>, objects: Objects): EventRow[] {
  const chains = chainsOf(objects);
  const committed = new Map(placesOf(objects, 'events').map(({ place, line }) => [`${place.team} ${line}`, place.seq]));
  return Object.entries(lines).flatMap(([team, served]) => {
    return served.map((line) => eventRow(line, { team, seq: committed.get(`${team} ${line}`) ?? 0, chains }));
  });
}

interface Committed {
  readonly team: string;
  readonly seq: number;
  readonly chains: readonly Chain[];
}

export function eventRow(line: string, { team, seq, chains }: Committed): EventRow {
  const chain = chains.find((each) => each.team === team)?.manifests ?? [];
  const manifest = chain.find((each) => each.seq === seq);
  const first = chain.find(({ run }) => run.id === manifest?.run.id);
  const before = chain.find((each) => each.seq === (first?.seq ?? 0) - 1);
  const instant = instantOf(scalarAt(line, 'timestamp') ?? '');
  return {
    team,
    dt: instant === undefined ? '' : dateText(instant),
    id: tokenAt(line, 'id') ?? '',
    event_time: instant === undefined ? '' : sqlTime(instant),
    archived_at: sqlTime(Date.parse(manifest?.run.finished ?? '')),
    seq: String(seq),
    late: String(before !== undefined && instant !== undefined && instant < Date.parse(before.position)),
    action: scalarAt(line, 'action') ?? null,
    message: scalarAt(line, 'message') ?? null,
    ip: scalarAt(line, 'ip') ?? null,
    user_agent: scalarAt(line, 'userAgent') ?? null,
    ...personOf('actor', line, [['data', 'actor'], ['actor'], ['user']]),
    ...personOf('user', line, [['user'], ['data', 'user']]),
    team_id: scalarAt(line, 'data', 'team', 'id') ?? null,
    team_name: scalarAt(line, 'data', 'team', 'name') ?? null,
    data: textAt(line, 'data') ?? null,
    variables: scalarAt(line, 'data', 'variables') ?? textAt(line, 'data', 'variables') ?? null,
    line,
  };
}

type PersonOf<Who extends string> = Record<`${Who}_${'id' | 'name' | 'username' | 'email'}`, string | null>;

/** Of the first place where there is anything. */
function personOf<Who extends 'actor' | 'user'>(
  who: Who,
  line: string,
  places: readonly (readonly string[])[],
): PersonOf<Who> {
  const place = places.find((path) => textAt(line, ...path) !== undefined) ?? ['nowhere'];
  const fields = ['id', 'name', 'username', 'email'].map((field) => [
    `${who}_${field}`,
    scalarAt(line, ...place, field) ?? null,
  ]);
  return Object.fromEntries(fields);
}

/** Epoch milliseconds. */
export function instantOf(text: string): number | undefined {
  const match = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:[.,](\d+))?([Zz]|[+-]\d\d:?\d\d)?$/.exec(text);
  if (match === null) return undefined;
  const [, date, time, fraction = '', zone = 'Z'] = match;
  const at = Date.parse(
    `${date}T${time}.${fraction.slice(0, 3).padEnd(3, '0')}${zone.toUpperCase().replace(/^(...):?(..)$/, '$1:$2')}`,
  );
  const rolled = new Date(`${date}T00:00:00Z`);
  return Number.isNaN(at) || Number.isNaN(rolled.getTime()) || dateText(rolled.getTime()) !== date ? undefined : at;
}

/** As SQL writes a timestamp(3). */
export function sqlTime(at: number): string {
  return new Date(at).toISOString().replace('T', ' ').replace('Z', '');
}
