/**
 * The proof that a window has ended. A missing cursor is not the sign of the end where another sign says that more follows. Then
 * up to three further requests must show no other event. Otherwise the source announces its pages in a way that this version
 * does not know, and the run fails instead of archiving a part for the whole.
 */
import { UpstreamError } from '../shared/errors';
import type { AuditEvent } from '../shared/event';
import { sha256 } from '../shared/manifest';
import { addMs, SECOND_MS } from '../shared/time';
import type { PageAnswer } from './answer';
import type { Query } from './source';

/** Servers limit a page to 50, 100 or another multiple of this number, whatever was asked. */
const ROUND_PAGE = 50;

/** A request that shows whether the window holds more than was served. */
interface EndCheck {
  readonly query: Query;
  /** How many events the source must serve in answer to the request, on one page or on several. */
  readonly due: number;
}

/** The facts that a window knows when its last page has come. */
export interface Ending {
  /** The query of the window's last page, and its events. */
  readonly asked: Query;
  readonly events: readonly AuditEvent[];
  /** Whether the source has announced any page of the window. */
  readonly hasFollowed: boolean;
  readonly isAscending: boolean;
  readonly lowest: Date | undefined;
  readonly highest: Date | undefined;
}

/** `isDue` tells whether every server of the source must hold an event of this instant: others may have appeared meanwhile. */
export function createEndProof(isDue: (instant: Date) => boolean) {
  const seen = new Set<string>();
  let seenDue = 0;
  /** Events that a check found first. They may have appeared meanwhile, so the window is read once more. */
  let suspects: ReadonlySet<string> = new Set();
  let isSuspect = false;
  let checks: readonly EndCheck[] = [];

  const isEventDue = ({ instant }: AuditEvent) => instant !== undefined && isDue(instant);

  function see(events: readonly AuditEvent[]): void {
    for (const event of events) {
      const before = seen.size;
      seen.add(identityOf(event));
      if (seen.size > before && isEventDue(event)) seenDue += 1;
    }
  }

  /** A page is full where it holds what was asked for, or a round number of events. */
  function isDoubtful({ events, total = 0, hasNextLink }: PageAnswer, limit: number): boolean {
    const isFull = events.length >= limit || (events.length > 0 && events.length % ROUND_PAGE === 0);
    return isFull || total > seen.size || hasNextLink;
  }

  function begin(ending: Ending): void {
    checks = checksOf(ending, { onPage: ending.events.filter(isEventDue).length, inWindow: seenDue });
  }

  function query(limit: number): Query | undefined {
    const [check] = checks;
    return check && { ...check.query, limit: Math.min(limit, check.query.limit) };
  }

  /** Returns the events that appeared meanwhile, or `missed` where the window must be read once more. */
  function take({ events, cursor }: PageAnswer): readonly AuditEvent[] | 'missed' {
    const [check, ...others] = checks;
    const isCut =
      check !== undefined && cursor === undefined && events.length >= check.query.limit && check.due > events.length;
    const unseen = events.filter((event) => !seen.has(identityOf(event)));
    const missed = unseen.filter(isEventDue).map(identityOf);
    if ((isCut && isSuspect) || missed.some((identity) => suspects.has(identity))) throw endUnmarked();
    const isFirst = !isSuspect && (isCut || missed.length > 0);
    isSuspect ||= isFirst;
    if (isFirst) suspects = new Set(missed);
    else see(unseen);
    checks = isFirst ? [] : others;
    return isFirst ? 'missed' : unseen;
  }

  /** A source need not accept a cursor twice, so the check that sends one again is left out where it is refused. */
  function skip(): void {
    checks = checks.slice(1);
  }

  return { see, isDoubtful, begin, query, take, skip, isOpen: () => checks.length > 0, isEmpty: () => seen.size === 0 };
}

interface Due {
  readonly onPage: number;
  readonly inWindow: number;
}

/**
 * The checks, as far as they tell anything:
 * - The last page again, but for one event alone: the source must then announce the others, whatever it does with order and
 *   bounds.
 * - The events from the last instant on. If the source has never announced a page, the first check says more.
 * - The window, newest first.
 */
function checksOf({ asked, hasFollowed, isAscending, lowest, highest }: Ending, due: Due): readonly EndCheck[] {
  const base = { ...asked, cursor: undefined };
  const rest = isAscending
    ? { ...base, since: highest === undefined ? base.since : addMs(highest, -SECOND_MS) }
    : { ...base, until: lowest === undefined ? base.until : addMs(lowest, SECOND_MS) };
  const isAlone = due.onPage < 2;
  return [
    ...(isAlone ? [] : [{ query: { ...asked, limit: 1 }, due: due.onPage }]),
    ...(isAlone || hasFollowed ? [{ query: rest, due: 0 }] : []),
    { query: { ...base, order: 'desc' }, due: due.inWindow },
  ];
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
