/**
 * The proof that a window has ended. A missing cursor is not the sign of the end where another sign says that more follows. Then
 * two further requests must show no other event. Otherwise the source announces its pages in a way that this version does not
 * know, and the run fails instead of archiving a part for the whole.
 */
import { UpstreamError } from '../shared/errors';
import type { AuditEvent } from '../shared/event';
import { sha256 } from '../shared/manifest';
import { addMs, SECOND_MS } from '../shared/time';
import type { PageAnswer, Query } from './source';

/** Servers limit a page to 50, 100 or another multiple of this number, whatever was asked. */
const ROUND_PAGE = 50;

/** A request that shows whether the window holds more than was served. */
interface EndCheck {
  readonly query: Query;
  /** How many of the events that the request asks for are known. */
  readonly known: number;
}

/** The facts that a window knows when its last page has come. */
export interface Ending {
  /** The query of the window's first page. */
  readonly base: Query;
  /** Whether the source has announced any page of the window. */
  readonly hasFollowed: boolean;
  readonly isAscending: boolean;
  readonly lowest: Date | undefined;
  readonly highest: Date | undefined;
}

/** `isDue` tells whether the window must hold an event of this instant: other events may have appeared meanwhile. */
export function createEndProof(isDue: (instant: Date) => boolean) {
  const seen = new Set<string>();
  /** Events that a check found first. They may have appeared meanwhile, so the window is read once more. */
  let suspects: ReadonlySet<string> = new Set();
  let checks: readonly EndCheck[] = [];

  function see(events: readonly AuditEvent[]): void {
    for (const event of events) seen.add(identityOf(event));
  }

  /** A page is full where it holds what was asked for, or a round number of events. */
  function isDoubtful({ events, total = 0, hasNextLink }: PageAnswer, limit: number): boolean {
    const isFull = events.length >= limit || (events.length > 0 && events.length % ROUND_PAGE === 0);
    return isFull || total > seen.size || hasNextLink;
  }

  function begin(ending: Ending): void {
    checks = checksOf(ending, seen.size);
  }

  function query(limit: number): Query | undefined {
    const [check] = checks;
    return check && { ...check.query, limit: Math.min(limit, check.query.limit) };
  }

  /** Returns the events that appeared meanwhile, or `missed` where the window must be read once more. */
  function take({ events, cursor }: PageAnswer): readonly AuditEvent[] | 'missed' {
    const [check, ...others] = checks;
    const isCut = check !== undefined && events.length >= check.query.limit && check.known > events.length;
    if (isCut && cursor === undefined) throw endUnmarked();
    const unseen = events.filter((event) => !seen.has(identityOf(event)));
    const missed = unseen.filter(({ instant }) => instant !== undefined && isDue(instant)).map(identityOf);
    if (missed.some((identity) => suspects.has(identity))) throw endUnmarked();
    const isFirst = missed.length > 0 && suspects.size === 0;
    if (isFirst) suspects = new Set(missed);
    else see(unseen);
    checks = isFirst ? [] : others;
    return isFirst ? 'missed' : unseen;
  }

  return { see, isDoubtful, begin, query, take, isOpen: () => checks.length > 0 };
}

/**
 * The two checks. If the source has announced a page before, they ask from the last instant on, and newest first. If it never has,
 * they ask for one event alone, and newest first: the source must then announce the other events under every reading of bounds.
 */
function checksOf({ base, hasFollowed, isAscending, lowest, highest }: Ending, known: number): readonly EndCheck[] {
  const rest = isAscending
    ? { ...base, since: highest === undefined ? base.since : addMs(highest, -SECOND_MS) }
    : { ...base, until: lowest === undefined ? base.until : addMs(lowest, SECOND_MS) };
  const first = hasFollowed || known < 2 ? { query: rest, known: 0 } : { query: { ...base, limit: 1 }, known };
  return [first, { query: { ...base, order: 'desc' }, known }];
}

function identityOf({ id, line }: AuditEvent): string {
  return id ?? sha256(line);
}

function endUnmarked(): UpstreamError {
  return new UpstreamError(
    'source-contract-broken',
    'the source ended its answer without a cursor, but it holds more events; the API may announce the next page in a new way, ' +
      'so ask Postman or update this archiver',
  );
}
