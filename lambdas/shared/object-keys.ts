/**
 * Where each object lives. These keys are part of archive format 1 (`docs/format.md`) and can never change.
 * Every variable part is checked or made here, so nothing an event says can reach a key.
 */

const SEQ_DIGITS = 10;

/** Data that SQL may see (`events`) and what may not enter it (`quarantine`). */
export type Area = 'events' | 'quarantine';

/** A team's name: lower-case letters, digits and inner hyphens, 1 to 32 characters. Safe in keys, SQL and URLs. */
export const TEAM_PATTERN = /^[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?$/;

export function manifestPrefix(team: string): string {
  return `manifests/team=${team}/`;
}

export function manifestKey(team: string, seq: number): string {
  return `${manifestPrefix(team)}${seqText(seq)}.json`;
}

/** The sequence number in a manifest's key, or undefined where the key is not one of that team's manifests. */
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

function seqText(seq: number): string {
  return String(seq).padStart(SEQ_DIGITS, '0');
}
