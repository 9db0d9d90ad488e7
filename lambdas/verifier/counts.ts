/** The claims about numbers: a segment has the lines that its entry states, and a manifest counts the lines that it lists. */
import { QUARANTINE_REASONS, type QuarantineReason } from '../shared/event';
import type { Manifest, SegmentEntry } from '../shared/manifest';
import type { Area } from '../shared/object-keys';
import type { LineFacts } from './lines';

/** Whether the entry states the number of lines, and the first and the last instant. */
export function describes(entry: SegmentEntry, facts: LineFacts): boolean {
  const [first, last] = [facts.first?.toISOString(), facts.last?.toISOString()];
  return facts.lines > 0 && entry.lines === facts.lines && entry.first === first && entry.last === last;
}

/** Yields each count of the manifest that does not match its lines. `reasons` are those of the quarantined lines. */
export function* miscounts({ counts, segments }: Manifest, reasons: ReadonlyMap<QuarantineReason, number>) {
  const listed = (area: Area) =>
    segments.filter(({ key }) => key.startsWith(`${area}/`)).reduce((sum, { lines }) => sum + lines, 0);
  const quarantined = QUARANTINE_REASONS.reduce((sum, reason) => sum + counts.quarantined[reason], 0);
  if (counts.events !== listed('events')) yield `it counts ${counts.events} events and lists ${listed('events')}`;
  if (quarantined !== listed('quarantine'))
    yield `it counts ${quarantined} quarantined lines and lists ${listed('quarantine')}`;
  if (counts.late > counts.events) yield 'it counts more late events than events';
  if (counts.quarantined.revision > counts.revisions) yield 'it counts more quarantined revisions than revisions';
  const reasoned = [...reasons.values()].reduce((sum, lines) => sum + lines, 0);
  // Lines that could not be read, and lines without a reason, already have a finding of their own.
  if (reasoned !== quarantined) return;
  for (const reason of QUARANTINE_REASONS) {
    const lines = reasons.get(reason) ?? 0;
    if (counts.quarantined[reason] !== lines)
      yield `it counts ${counts.quarantined[reason]} lines of "${reason}" and has ${lines}`;
  }
}
