/**
 * The keys of all objects. They are part of archive format 1 (`docs/format.md`) and can never change. Every variable part of a
 * key is checked or made by the archiver, so no text of an event can become part of a key.
 */

/** SQL reads the events under `events`. Lines that may not enter it are under `quarantine`. */
export type Area = 'events' | 'quarantine';

/** A team's name has 1 to 32 lower-case letters, digits and inner hyphens. It is safe in keys, SQL and URLs. */
export const TEAM_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

/** The manifests come last, because a run may commit while the folders are listed (see the verifier's `inventory.ts`). */
export const FOLDERS = ['anchors', 'batches', 'events', 'quarantine', 'manifests'] as const;

/** The prefixes of everything that belongs to a team. */
export function teamPrefixes(team: string): readonly string[] {
  return FOLDERS.map((folder) => `${folder}/team=${team}/`);
}

export function manifestPrefix(team: string): string {
  return `manifests/team=${team}/`;
}

export function manifestKey(team: string, seq: number): string {
  return `${manifestPrefix(team)}${seqText(seq)}.json`;
}

/** The sequence number in a manifest's key, or undefined where the key does not name a manifest of this team. */
export function seqOfManifestKey(team: string, key: string): number | undefined {
  const prefix = manifestPrefix(team);
  const match = key.startsWith(prefix) ? /^(?!0{10})(\d{10})\.json$/.exec(key.slice(prefix.length)) : null;
  return match?.[1] === undefined ? undefined : Number(match[1]);
}

export function batchPrefix(team: string): string {
  return `batches/team=${team}/`;
}

export function batchKey(team: string, seq: number, attempt: string): string {
  return `${batchPrefix(team)}${seqText(seq)}-${attempt}.gz`;
}

export function areaPrefix(area: Area, team: string): string {
  return `${area}/team=${team}/`;
}

/** `date` is `YYYY-MM-DD`, UTC. */
export function datePrefix(area: Area, team: string, date: string): string {
  return `${areaPrefix(area, team)}dt=${date}/`;
}

export function segmentKey(area: Area, team: string, date: string, seq: number): string {
  return `${datePrefix(area, team, date)}${seqText(seq)}.ndjson.gz`;
}

/** The parts of a segment's key; undefined where the key names no segment. */
export function readSegmentKey(
  key: string,
): { readonly area: Area; readonly date: string; readonly seq: number } | undefined {
  const match = /^(events|quarantine)\/team=[^/]+\/dt=(\d{4}-\d{2}-\d{2})\/(\d{10})\.ndjson\.gz$/.exec(key);
  const [, area, date = '', seq] = match ?? [];
  if (area !== 'events' && area !== 'quarantine') return undefined;
  return { area, date, seq: Number(seq) };
}

function seqText(seq: number): string {
  return String(seq).padStart(10, '0');
}
