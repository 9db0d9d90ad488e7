/**
 * The claim about locks: each object is locked for at least as long as its manifest promises. Only the bucket itself can show it,
 * because a copy has no locks.
 */
import type { Manifest } from '../shared/manifest';
import type { ObjectLock } from '../shared/ports';
import { DAY_MS } from '../shared/time';
import type { AddFinding } from './findings';
import type { ArchiveReader } from './inventory';

/** S3 counts from its own clock and `run.finished` is of another one. */
const CLOCKS_APART_MS = DAY_MS;

interface LockContext {
  readonly reader: ArchiveReader;
  readonly addFinding: AddFinding;
}

/** The object must have been read. */
export function isUnderLock(key: string, { run, retention }: Manifest, { reader, addFinding }: LockContext): void {
  if (reader.lockOf === undefined || retention === null) return;
  const lock = reader.lockOf(key);
  const promised = Date.parse(run.finished) + retention.days * DAY_MS;
  if (lock === undefined) addFinding('lock-missing', key);
  else if (lock.until.getTime() < promised - CLOCKS_APART_MS || isWeaker(lock.mode, retention.mode))
    addFinding('lock-weaker', key, `locked in mode ${lock.mode} until ${lock.until.toISOString()}`);
}

function isWeaker(mode: ObjectLock['mode'], promised: ObjectLock['mode']): boolean {
  return promised === 'COMPLIANCE' && mode !== 'COMPLIANCE';
}
