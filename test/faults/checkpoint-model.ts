/**
 * A model of the DynamoDB item under the conditions of `lambdas/adapters/dynamodb.ts`; a test compares the two. Its steps
 * are synchronous. A world may lose the item, roll it back or set it to any value at any moment.
 */
import type { Checkpoint, Hint, Lease, RunOutcome } from '../../lambdas/shared/ports';

/** The notation of DynamoDB, as far as this item and the garbage of the tests need it. */
export type Attribute = { readonly N: string } | { readonly S: string } | { readonly BOOL: boolean };

export type Item = Readonly<Record<string, Attribute>>;

/** The place of the item, which is undefined if there is none. */
export interface ItemCell {
  item: Item | undefined;
}

const LONGEST_LEASE_MS = 300_000;

/** Every operation is one conditional UpdateItem, which happens completely or not at all. */
export function checkpointModel(cell: ItemCell) {
  function acquire(lease: Lease): Hint | 'held' {
    const item = cell.item ?? {};
    const until = numberOf(item.leaseUntil);
    const now = lease.now.getTime();
    const isFree = until === undefined || until < now || until > now + LONGEST_LEASE_MS || isOwner(item, lease);
    if (!isFree) return 'held';
    cell.item = { ...item, leaseOwner: { S: lease.runId }, leaseUntil: numeric(lease.until.getTime()) };
    // No run may use the position. It is returned so that a run that does is noticed.
    return { seq: readSeq(item.seq), ...(item.position && { position: item.position }) };
  }

  function save(lease: Lease, { previousSeq, seq, position, release }: Checkpoint): 'saved' | 'refused' {
    const item = cell.item ?? {};
    const stored = numberOf(item.seq);
    const isKnown = previousSeq === undefined ? item.seq === undefined : stored === previousSeq;
    const isOwn = isOwner(item, lease) && (isKnown || stored === seq);
    // The same write has succeeded before, and its response was lost.
    const isThere = stored === seq && textOf(item.position) === position.toISOString();
    const isDone = release && item.leaseOwner === undefined && isThere;
    if (!isOwn && !isDone) return 'refused';
    const { leaseOwner, leaseUntil, ...rest } = item;
    const kept = release
      ? endOf(lease, 'archived')
      : { leaseOwner: { S: lease.runId }, leaseUntil: numeric(lease.until.getTime()) };
    cell.item = { ...rest, ...kept, seq: numeric(seq), position: { S: position.toISOString() } };
    return 'saved';
  }

  function release(lease: Lease, outcome: RunOutcome): void {
    if (cell.item === undefined || !isOwner(cell.item, lease)) return;
    const { leaseOwner, leaseUntil, ...rest } = cell.item;
    cell.item = { ...rest, ...endOf(lease, outcome) };
  }

  return { acquire, save, release };
}

function endOf({ now }: Lease, outcome: RunOutcome): Item {
  return { outcome: { S: outcome }, ended: { S: now.toISOString() } };
}

function isOwner(item: Item, lease: Lease): boolean {
  return textOf(item.leaseOwner) === lease.runId;
}

function textOf(attribute: Attribute | undefined): string | undefined {
  return attribute !== undefined && 'S' in attribute ? attribute.S : undefined;
}

function numberOf(attribute: Attribute | undefined): number | undefined {
  return attribute !== undefined && 'N' in attribute ? Number(attribute.N) : undefined;
}

function numeric(value: number): Attribute {
  return { N: String(value) };
}

/** Anything but a number is returned unchanged, so that the run sees garbage as garbage. */
function readSeq(attribute: Attribute | undefined): unknown {
  return numberOf(attribute) ?? attribute;
}
