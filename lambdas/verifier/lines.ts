/**
 * The claims about lines: each one is an event where an event may be, or is in quarantine for a reason that can be
 * derived again. A segment's troubles are told once per kind, by line number: never by id or body.
 */
import { isUtf8 } from 'node:buffer';
import {
  type AuditEvent,
  compareEvents,
  instantInRange,
  isDated,
  MAX_LINE_BYTES,
  type QuarantineReason,
  quarantineReason,
  readEvent,
  sliceEvent,
} from '../shared/event';
import { JsonError } from '../shared/json';
import type { Area } from '../shared/object-keys';
import { GzipError, splitLines } from '../shared/segment';
import { dateOf } from '../shared/time';
import type { FindingCode } from './findings';
import type { IdIndex } from './ids';

export interface LinesContext {
  readonly area: Area;
  /** Of the partition, `YYYY-MM-DD`. */
  readonly date: string;
  readonly seq: number;
  readonly walkStart: Date;
  /** Whether a quarantined line without an instant in range may be in the partition of that date. */
  readonly isMet: (date: string) => boolean;
  /** Every id that the chain has archived so far; those of this segment are added. */
  readonly ids: IdIndex;
}

export interface LineFacts {
  readonly lines: number;
  /** The earliest and the latest instant. A quarantined line without an instant in range counts as its walk start. */
  readonly first: Date | undefined;
  readonly last: Date | undefined;
  /** Why each quarantined line is there. */
  readonly reasons: ReadonlyMap<QuarantineReason, number>;
  readonly troubles: readonly (readonly [FindingCode, string])[];
}

type Trouble = readonly [code: FindingCode, what: string];

export function checkLines(content: Buffer, context: LinesContext): LineFacts {
  const troubles = new Map<FindingCode, { readonly first: string; times: number }>();
  const reasons = new Map<QuarantineReason, number>();
  let [lines, first, last]: [number, Date | undefined, Date | undefined] = [0, undefined, undefined];
  let previous: AuditEvent | undefined;

  for (const event of readEvents(content)) {
    lines += 1;
    const reason = event && reasonOf(event, context);
    for (const [code, what] of troublesOf(event, { ...context, previous, reason })) {
      const known = troubles.get(code);
      if (known === undefined) troubles.set(code, { first: `line ${lines}${what && `: ${what}`}`, times: 1 });
      else known.times += 1;
    }
    if (context.area === 'quarantine' && reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const instant = event && instantOf(event, context);
    if (instant && (first === undefined || instant < first)) first = instant;
    if (instant && (last === undefined || instant > last)) last = instant;
    previous = event ?? previous;
  }
  const told = [...troubles].map(
    ([code, { first, times }]): Trouble => [code, times > 1 ? `${first}, and ${times - 1} more` : first],
  );
  return { lines, first, last, reasons, troubles: told };
}

interface LineContext extends LinesContext {
  readonly previous: AuditEvent | undefined;
  readonly reason: QuarantineReason | undefined;
}

function* troublesOf(event: AuditEvent | undefined, context: LineContext): Generator<Trouble> {
  const { previous, reason } = context;
  if (event === undefined) return yield ['line-malformed', ''];
  if (context.area === 'quarantine') {
    if (reason === undefined) yield ['quarantine-unfounded', ''];
    const own = instantInRange(event, context.walkStart);
    const isThere = own === undefined ? context.isMet(context.date) : dateOf(own) === context.date;
    if (!isThere)
      yield ['date-wrong', own === undefined ? 'neither the walk start nor a swept day' : `a line of ${dateOf(own)}`];
    if (previous && Buffer.compare(previous.line, event.line) >= 0) yield ['lines-unordered', ''];
    return;
  }
  if (reason !== undefined) yield ['event-unfit', reason];
  const earlier = event.id === undefined ? undefined : context.ids.add(event.id, context.seq);
  if (earlier !== undefined) yield ['id-repeated', `its id was archived by manifest ${earlier} already`];
  if (!isDated(event)) return;
  if (dateOf(event.instant) !== context.date) yield ['date-wrong', `an event of ${dateOf(event.instant)}`];
  if (previous && isDated(previous) && compareEvents(previous, event) >= 0) yield ['lines-unordered', ''];
}

function instantOf(event: AuditEvent, { area, walkStart }: LinesContext): Date | undefined {
  return area === 'events' ? event.instant : (instantInRange(event, walkStart) ?? walkStart);
}

/** Why the line may not be under `events/`; `revision` for one in quarantine whose id is archived. */
function reasonOf(event: AuditEvent, { area, walkStart, ids }: LinesContext): QuarantineReason | undefined {
  const reason = quarantineReason(event, walkStart);
  if (reason !== undefined || area === 'events' || event.id === undefined) return reason;
  return ids.has(event.id) ? 'revision' : undefined;
}

/** Undefined for a line that is not one JSON value, minified and in UTF-8. */
function* readEvents(content: Buffer): Generator<AuditEvent | undefined> {
  try {
    for (const line of splitLines(content)) yield readLine(line);
  } catch (error) {
    if (!(error instanceof GzipError)) throw error;
    yield undefined; // The last line has no newline.
  }
}

function readLine(line: Buffer): AuditEvent | undefined {
  try {
    // Parsing needs many times a line's size in memory, and an oversize line needs no other reason.
    if (line.length > MAX_LINE_BYTES) return readEvent(line);
    const event = sliceEvent(line, { start: 0, end: line.length });
    return event.line.length === line.length && isUtf8(line) ? event : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
