/**
 * A year of a team as the real archiver archives it in virtual time, with all that a report must show: days that were not read at
 * either end, a gap, late events, a revision, a line in quarantine, and texts that try to become markup.
 */
import { archive } from '../../lambdas/archiver/archive';
import { DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import type { SourceEvent } from '../../local/postman/source-table';
import { memoryStore } from './memory-store';
import { aRunAt } from './run';

export const YEAR = { from: '2025-01-01', to: '2025-12-31' };
export const HOSTILE = ['<script>alert(1)</script>', '"><img src=x onerror=alert(1)>', '\u202egnp.exe'] as const;
/** The team is archived from here on, and its source keeps twenty days. */
const START = Date.parse('2025-01-10T00:00:00Z');
const LAST_RUN = Date.parse('2025-12-20T00:00:00Z');
const PAUSE = { from: Date.parse('2025-06-01T00:00:00Z'), to: Date.parse('2025-07-10T00:00:00Z') };
const EVERY_MS = 2 * DAY_MS;

export async function archiveYear(): Promise<ReadonlyMap<string, Buffer>> {
  const store = memoryStore();
  const events = yearOfEvents();
  for (let at = START + 10 * DAY_MS; at <= LAST_RUN; at += EVERY_MS) {
    if (at > PAUSE.from && at < PAUSE.to) continue;
    const changes = { id: idOf(at), store, startDate: new Date(START) };
    await archive(aRunAt(new Date(at).toISOString(), { events, settings: { retentionDays: 20 } }, changes));
  }
  return store.objects;
}

function yearOfEvents(): SourceEvent[] {
  const events: SourceEvent[] = [];
  for (let day = START; day < LAST_RUN; day += DAY_MS) {
    const date = new Date(day);
    const isWeekend = date.getUTCDay() % 6 === 0;
    const number = isWeekend ? 0 : 2 + (date.getUTCDate() % 7);
    for (let index = 0; index < number; index += 1)
      events.push(anEvent(events.length + 1, day + (8 + index) * HOUR_MS));
  }
  const [first] = events;
  if (first === undefined) throw new Error('there are no events');
  const march = Date.parse('2025-03-04T12:00:00Z');
  return [
    ...events,
    { ...anEvent(9001, march), visibleFrom: march + 8 * DAY_MS },
    // An hour before a run, and edited before the next one.
    edited(anEvent(9002, Date.parse('2025-04-11T23:00:00Z')), Date.parse('2025-04-12T12:00:00Z')),
    {
      ...anEvent(9003, Date.parse('2025-05-06T10:00:00Z')),
      raw: '{"action":"without an id","timestamp":"2025-05-06T10:00:00Z"}',
    },
    ...HOSTILE.map((text, index) => anEvent(9100 + index, Date.parse('2025-08-05T10:00:00Z') + index, text)),
  ];
}

function edited(event: SourceEvent, from: number): SourceEvent {
  return { ...event, later: [{ from, raw: event.raw.replace('user.login', 'user.logout') }] };
}

function anEvent(row: number, at: number, text = 'user.login_sso_success'): SourceEvent {
  const name = `member-${row % 9}`;
  const actor = {
    id: row % 9,
    name: text.startsWith('user.') ? name : text,
    ...(text.startsWith('user.') && { email: `${name}@example.com` }),
  };
  const line = { id: row, action: text, timestamp: new Date(at).toISOString(), message: text, data: { actor } };
  return { row, at, visibleFrom: at, raw: JSON.stringify(line) };
}

function idOf(at: number): string {
  return `00000000-0000-4000-8000-${String(at).padStart(12, '0').slice(-12)}`;
}
