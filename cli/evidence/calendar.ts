/**
 * The calendar of the report: one square for each day, one column for each week, one drawing for each year. A day without events
 * looks different from a day that was not read. The drawing is for the eye; the table of months below it says the same to a screen
 * reader.
 */

import { plural } from '../../lambdas/shared/text';
import { DAY_MS, dateOf } from '../../lambdas/shared/time';
import type { Day } from './facts';
import { type Html, html } from './html';

const STEP = 15;
const SIZE = 12;
const LEFT = 34;
const TOP = 18;

/** The hatchings stand in `drawLegend`. `level0` is a day without events, and the highest level has the most. */
const FILLS = {
  ...{ gap: 'url(#gap)', unread: 'url(#unread)' },
  ...{ level0: '#fff', level1: '#cfe2f6', level2: '#92bfe8', level3: '#4a8ccb', level4: '#1d4f86' },
} as const;
const LEVELS = 4;

const MONTHS = 'Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec'.split(' ');
const WEEKDAYS = ['Mon', '', 'Wed', '', 'Fri', '', 'Sun'];

/** A square at a place in the drawing, in its units. */
interface Square {
  readonly x: number;
  readonly y: number;
}

export function drawCalendars(days: readonly Day[]): Html[] {
  const most = days.reduce((highest, { events }) => Math.max(highest, events), 1);
  const years = [...new Set(days.map(({ date }) => date.slice(0, 4)))];
  const ofYear = (year: string) => days.filter(({ date }) => date.startsWith(year));
  return years.map((year) => drawYear(year, ofYear(year), most));
}

/** The legend also holds the hatchings that the calendars share. */
export function drawLegend(): Html {
  const none = { date: '', state: 'complete', runs: 0, events: 0, late: 0, quarantined: 0, gapMinutes: 0 };
  const empty: Day = { ...none, sweep: '', missing: 0, changed: 0, readOn: '' };
  const samples: readonly (readonly [string, Partial<Day>])[] = [
    ['no events', {}],
    ['few events', { events: 1 }],
    ['many events', { events: 16 }],
    ['read in part', { state: 'read in part' }],
    ['gap: lost at the source', { state: 'gap' }],
    ['not read', { state: 'not read yet' }],
    ['with late events', { events: 1, late: 1 }],
    ['with quarantined, changed or missing events', { events: 1, quarantined: 1 }],
    ['swept: read again later', { events: 1, sweep: 'complete' }],
  ];
  const entries = samples.map(([text, sample]) => {
    const square = drawDay({ ...empty, ...sample }, { x: 1, y: 1 }, 16);
    return html`<li><svg aria-hidden="true" width="${SIZE + 2}" height="${SIZE + 2}">${square}</svg> ${text}</li>`;
  });
  const hatch = (id: string, color: string, ground: string) =>
    html`<pattern id="${id}" width="4" height="4" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="4" height="4" fill="${ground}"/><rect width="2" height="4" fill="${color}"/></pattern>`;
  return html`<ul class="legend">${entries}</ul>
<svg aria-hidden="true" width="0" height="0"><defs>${hatch('gap', '#b3261e', '#fbe3e1')}${hatch('unread', '#9aa0a6', '#eceef0')}</defs></svg>`;
}

function drawYear(year: string, days: readonly Day[], most: number): Html {
  const monday = mondayBefore(`${year}-01-01`);
  const weeks = Math.ceil((Date.parse(`${year}-12-31`) - monday + DAY_MS) / (7 * DAY_MS));
  const squares = days.map((day) => drawDay(day, placeOf(day.date, monday), most));
  const months = MONTHS.map((name, month) => {
    const { x } = placeOf(dateOf(new Date(Date.UTC(Number(year), month, 4))), monday);
    return html`<text x="${x}" y="11">${name}</text>`;
  });
  const weekdays = WEEKDAYS.map((name, row) => html`<text x="0" y="${TOP + row * STEP + 10}">${name}</text>`);
  const events = days.reduce((sum, day) => sum + day.events, 0);
  const label = `Calendar of ${year}: ${plural(events, 'event')} on ${plural(days.length, 'day')} of the period. The table of months below has the same figures.`;
  return html`<h3>${year}</h3>
<svg role="img" aria-label="${label}" viewBox="0 0 ${LEFT + weeks * STEP} ${TOP + 7 * STEP}" font-size="10" fill="#57606a">${months}${weekdays}${squares}</svg>`;
}

function drawDay(day: Day, { x, y }: Square, most: number): Html {
  const { state, late, quarantined, missing, changed, sweep } = day;
  const kind = kindOf(day, most);
  const stroke =
    state === 'read in part'
      ? html`stroke="#1b1f24" stroke-dasharray="2 1.5"`
      : html`stroke="#8b949e" stroke-width="0.5"`;
  return html`<g class="${kind}"><title>${sentenceOf(day)}</title><rect x="${x}" y="${y}" width="${SIZE}" height="${SIZE}" fill="${FILLS[kind]}" ${stroke}/>
${sweep === 'complete' ? html`<rect x="${x + 2}" y="${y + SIZE - 2}" width="5" height="1" fill="#1b1f24"/>` : ''}
${late > 0 ? html`<circle cx="${x + SIZE - 3}" cy="${y + SIZE - 3}" r="2" fill="#f2a33a" stroke="#1b1f24" stroke-width="0.5"/>` : ''}
${quarantined + missing + changed > 0 ? html`<path d="M${x} ${y}h6l-6 6z" fill="#8e24aa" stroke="#fff" stroke-width="0.75"/>` : ''}</g>`;
}

function kindOf({ state, events }: Day, most: number): keyof typeof FILLS {
  if (state === 'gap') return 'gap';
  if (isUnread(state)) return 'unread';
  const level = Math.ceil(LEVELS * Math.sqrt(events / most));
  return `level${level}` as keyof typeof FILLS;
}

export function isUnread(state: string): boolean {
  return state === 'not read yet' || state === 'before the archive';
}

function sentenceOf(day: Day): string {
  const facts = [
    day.gapMinutes > 0 && `${plural(day.gapMinutes, 'minute')} lost`,
    plural(day.events, 'event'),
    day.late > 0 && `${day.late} late`,
    day.quarantined > 0 && `${day.quarantined} in quarantine`,
    day.missing > 0 && `${day.missing} no longer at the source`,
    day.changed > 0 && `${day.changed} changed at the source`,
    day.runs > 0 && plural(day.runs, 'run'),
    day.runs === 0 && day.readOn !== '' && `read in one go on ${day.readOn}`,
    day.sweep !== '' && `sweep ${day.sweep}`,
  ];
  return `${day.date}: ${day.state}, ${facts.filter(Boolean).join(', ')}`;
}

function placeOf(date: string, monday: number): Square {
  const day = Math.round((Date.parse(date) - monday) / DAY_MS);
  return { x: LEFT + Math.floor(day / 7) * STEP, y: TOP + (day % 7) * STEP };
}

/** Epoch milliseconds of the Monday of the date's week. */
function mondayBefore(date: string): number {
  const instant = new Date(date);
  return instant.getTime() - ((instant.getUTCDay() + 6) % 7) * DAY_MS;
}
