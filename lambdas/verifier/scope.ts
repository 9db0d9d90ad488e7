/**
 * How much of an archive one verification covers. A claim that needs more than that is not made: `notChecked` says so, and an
 * archive that was verified in part is never called good as a whole.
 */
import { seqOfAnchorKey } from '../shared/anchor';
import { readSegmentKey } from '../shared/object-keys';
import { seqOfBatchKey, type TeamFolder } from './inventory';

/** The manifests of one team after a manifest that the caller trusts, everything that they list, and their anchors. */
export interface RangeScope {
  readonly kind: 'range';
  readonly team: string;
  /**
   * The number of the manifest before the range, and the SHA-256 of its payload bytes, which is null where the caller does not know
   * it. Null for the beginning of the chain.
   */
  readonly after: { readonly seq: number; readonly sha256: string | null } | null;
  /** The last number of the range. */
  readonly through: number;
  /** `keys`: whether the objects that the manifests list are stored, and not what they hold. */
  readonly depth: 'bytes' | 'keys';
}

/** All manifests of all teams, and only the segments of these dates. UTC, `YYYY-MM-DD`, both included. */
export interface PeriodScope {
  readonly kind: 'period';
  readonly from: string;
  readonly to: string;
}

export type Scope = { readonly kind: 'whole' } | RangeScope | PeriodScope;

/** The part of a team's folder that the scope covers. The rest is neither read nor reported. */
export function within(scope: Scope, folder: TeamFolder): TeamFolder {
  const covered = (keys: ReadonlySet<string>) => new Set([...keys].filter((key) => covers(scope, folder, key)));
  return {
    ...folder,
    seqs: folder.seqs.filter((seq) => seq >= firstOf(scope) && seq <= lastOf(scope, seq)),
    anchors: scope.kind === 'range' ? folder.anchors.filter((key) => covers(scope, folder, key)) : folder.anchors,
    unlisted: covered(folder.unlisted),
    staged: covered(folder.staged),
  };
}

export function coversTeam(scope: Scope, team: string): boolean {
  return scope.kind !== 'range' || scope.team === team;
}

/** A batch object has no date, and a period leaves it out. */
export function coversDate(scope: Scope, date: string | undefined): boolean {
  return scope.kind !== 'period' || (date !== undefined && scope.from <= date && date <= scope.to);
}

/** Every scope covers an object above the head, one without a number and one with the number 0: no manifest can list them. */
function covers(scope: Scope, { team, seqs }: TeamFolder, key: string): boolean {
  const segment = readSegmentKey(key);
  const seq = segment?.seq ?? seqOfBatchKey(team, key) ?? seqOfAnchorKey(team, key);
  const headSeq = seqs.at(-1) ?? 0;
  if (seq === undefined || seq === 0 || seq > headSeq) return true;
  return seq >= firstOf(scope) && seq <= lastOf(scope, headSeq) && coversDate(scope, segment?.date);
}

/** The number of the first manifest that the scope covers. */
export function firstOf(scope: Scope): number {
  return scope.kind === 'range' ? (scope.after?.seq ?? 0) + 1 : 1;
}

/** The number of the last manifest that the scope covers, in a chain with this head. */
export function lastOf(scope: Scope, headSeq: number): number {
  return scope.kind === 'range' ? Math.min(scope.through, headSeq) : headSeq;
}

/** In whole sentences, what a verification of this scope cannot tell. */
export function notChecked(scope: Scope): readonly string[] {
  switch (scope.kind) {
    case 'whole':
      return [];
    case 'range':
      return [
        `Only the manifests of ${scope.team} from ${firstOf(scope)} to ${scope.through} and what they list were read.`,
        ...(scope.depth === 'keys' ? ['Of the other objects only the keys were compared, and no byte was read.'] : []),
        ...(scope.after === null ? [] : [OTHER_IDS]),
      ];
    case 'period':
      return [
        `All manifests were read, and the segments from ${scope.from} to ${scope.to}. Segments of other dates, and the batch objects, were not read.`,
        OTHER_IDS,
      ];
  }
}

const OTHER_IDS = 'Whether an event id also occurs outside of this part of the archive was not checked.';
