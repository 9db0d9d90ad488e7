/**
 * The claims about lines: a line under `events/` is an event that may be there, and a line under `quarantine/` is there for a
 * reason that the verifier derives again. Each kind of finding is reported once for a segment. It names a line by its
 * number, never by its id or body.
 */
import { isUtf8 } from 'node:buffer';
import {
  type AuditEvent,
  compareEvents,
  instantInRange,
  isDated,
  type QuarantineReason,
  quarantineReason,
  readEvent,
} from '../shared/event';
import { JsonError } from '../shared/json-tokens';
import type { Area } from '../shared/object-keys';
import { GzipError, splitLines } from '../shared/segment';
import { dateOf, earlier, later } from '../shared/time';
import type { FindingCode } from './findings';
import type { IdIndex } from './ids';

export interface LinesContext {
  readonly area: Area;
  /** The date of the partition, `YYYY-MM-DD`. */
  readonly date: string;
  readonly seq: number;
  readonly walkStart: Date;
  /** Whether quarantined lines without an instant in range may be in this partition. */
  readonly mayHoldUndated: boolean;
  /** Every id that the chain has archived so far. The ids of this segment are added. */
  readonly ids: IdIndex;
  /** How many lines the manifest has in quarantine for each reason. Those of this segment are added. */
  readonly reasons: Map<QuarantineReason, number>;
}

export interface LineFacts {
  readonly lines: number;
  /** The earliest and the latest instant. A quarantined line without an instant in range counts as its walk start. */
  readonly first: Date | undefined;
  readonly last: Date | undefined;
  readonly findings: readonly LineFinding[];
}

type LineFinding = readonly [code: FindingCode, detail: string];

export function checkLines(content: Buffer, context: LinesContext): LineFacts {
  const { area, reasons } = context;
  const found = new Map<FindingCode, { readonly first: string; times: number }>();
  let [lines, first, last]: [number, Date | undefined, Date | undefined] = [0, undefined, undefined];
  let previous: AuditEvent | undefined;

  const addFinding: LineContext['addFinding'] = (code, detail = '') => {
    const sameCode = found.get(code);
    if (sameCode === undefined) found.set(code, { first: `line ${lines}${detail && `: ${detail}`}`, times: 1 });
    else sameCode.times += 1;
  };

  for (const event of readEvents(content)) {
    lines += 1;
    if (event === undefined) {
      addFinding('line-malformed');
      continue;
    }
    const reason = reasonOf(event, context);
    const check = area === 'events' ? checkEvent : checkQuarantined;
    check(event, { previous, reason, addFinding }, context);
    if (area === 'quarantine' && reason) reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    const instant = instantOf(event, context);
    if (instant) first = earlier(first ?? instant, instant);
    if (instant) last = later(last ?? instant, instant);
    previous = event;
  }
  const findings = [...found].map(
    ([code, { first, times }]): LineFinding => [code, times > 1 ? `${first}, and ${times - 1} more` : first],
  );
  return { lines, first, last, findings };
}

interface LineContext {
  readonly previous: AuditEvent | undefined;
  readonly reason: QuarantineReason | undefined;
  readonly addFinding: (code: FindingCode, detail?: string) => void;
}

function checkEvent(event: AuditEvent, { previous, reason, addFinding }: LineContext, context: LinesContext): void {
  if (reason !== undefined) addFinding('event-unfit', reason);
  const earlierSeq = isIdentified(event) ? context.ids.add(event, context.seq) : undefined;
  if (earlierSeq !== undefined) addFinding('id-repeated', `manifest ${earlierSeq} had already archived this id`);
  if (!isDated(event)) return;
  const date = dateOf(event.instant);
  if (date !== context.date) addFinding('date-wrong', `belongs to ${date}`);
  if (previous && isDated(previous) && compareEvents(previous, event) >= 0) addFinding('lines-unordered');
}

function checkQuarantined(
  event: AuditEvent,
  { previous, reason, addFinding }: LineContext,
  context: LinesContext,
): void {
  if (reason === undefined) addFinding('quarantine-unfounded');
  const own = instantInRange(event, context.walkStart);
  const place = own === undefined ? 'the date of the walk start or of a sweep' : dateOf(own);
  const isInPlace = own === undefined ? context.mayHoldUndated : place === context.date;
  if (!isInPlace) addFinding('date-wrong', `belongs to ${place}`);
  if (previous && Buffer.compare(previous.line, event.line) >= 0) addFinding('lines-unordered');
}

function instantOf(event: AuditEvent, { area, walkStart }: LinesContext): Date | undefined {
  return area === 'events' ? event.instant : (instantInRange(event, walkStart) ?? walkStart);
}

/** Why the line may not be under `events/`. A quarantined line whose id is archived with another body is a `revision`. */
function reasonOf(event: AuditEvent, { area, walkStart, ids }: LinesContext): QuarantineReason | undefined {
  const reason = quarantineReason(event, walkStart);
  if (reason !== undefined || area === 'events' || !isIdentified(event)) return reason;
  return ids.isRevision(event) ? 'revision' : undefined;
}

function isIdentified(event: AuditEvent): event is AuditEvent & { readonly id: string } {
  return event.id !== undefined;
}

/** Yields undefined for a line that is not one minified JSON value in UTF-8. */
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
    return isUtf8(line) ? readEvent(line) : undefined;
  } catch (error) {
    if (error instanceof JsonError) return undefined;
    throw error;
  }
}
