/** The chapter on coverage: which days of the period the archive holds, as a sentence, a calendar, ranges and a table of months. */
import { figure, plural } from '../../lambdas/shared/text';
import { drawCalendars, drawLegend, isUnread } from './calendar';
import type { Day, Facts } from './facts';
import { type Html, html, table } from './html';

/** `completeness.csv` has every day. */
const MOST_RANGES = 100;

export function coverageSentence(days: readonly Day[]): string {
  const count = (wanted: string) => days.filter(({ state }) => state === wanted).length;
  const [part, gaps] = [count('read in part'), count('gap')];
  const unread = days.filter(({ state }) => isUnread(state)).length;
  const minutes = days.reduce((sum, { gapMinutes }) => sum + gapMinutes, 0);
  return [
    `Days read completely: ${figure(count('complete'))} of ${figure(days.length)}.`,
    part > 0 && `Read in part: ${figure(part)}.`,
    gaps > 0 && `With a gap: ${figure(gaps)}, in which ${plural(minutes, 'minute')} are lost.`,
    unread > 0 && `Not read: ${figure(unread)}.`,
  ]
    .filter(Boolean)
    .join(' ');
}

export function coverage({ days }: Facts): Html {
  const ranges = rangesOf(days);
  const more = ranges.length - MOST_RANGES;
  return html`<h2>Coverage</h2>
<p>Each square is a UTC day. The darker it is, the more events it has. <a href="answers/completeness.csv">completeness.csv</a> has
every day with all figures. A run reads everything since the run before it, so days without a run of their own were read by a later run.</p>
${drawCalendars(days)}
${drawLegend()}
${table('Coverage', ['Days', 'From', 'To', 'State'], ranges.slice(0, MOST_RANGES).map(rangeRow), [0])}
${more > 0 ? html`<p>${plural(more, 'more range')} of days: see completeness.csv.</p>` : ''}
${monthTable(days)}`;
}

/** Consecutive days in the same state. */
function rangesOf(days: readonly Day[]): readonly (readonly Day[])[] {
  const ranges: Day[][] = [];
  for (const day of days) {
    const last = ranges.at(-1);
    if (last?.[0]?.state === day.state) last.push(day);
    else ranges.push([day]);
  }
  return ranges;
}

function rangeRow(days: readonly Day[]): Html {
  const { date: from, state } = days[0] ?? { date: '', state: '' };
  return html`<tr><td class="number">${figure(days.length)}</td><td>${from}</td><td>${days.at(-1)?.date ?? ''}</td><td>${state === 'before the archive' ? 'not read: before the archive' : state}</td></tr>`;
}

const MONTH_COLUMNS: readonly (readonly [string, (day: Day) => number])[] = [
  ['Events', ({ events }) => events],
  ['Late events', ({ late }) => late],
  ['In quarantine', ({ quarantined }) => quarantined],
  ['Days complete', ({ state }) => Number(state === 'complete')],
  ['Days with a gap', ({ state }) => Number(state === 'gap')],
  ['Minutes lost', ({ gapMinutes }) => gapMinutes],
  ['Days not read', ({ state }) => Number(isUnread(state))],
  ['Days swept', ({ sweep }) => Number(sweep !== '')],
];

const SWEEP_COLUMNS: typeof MONTH_COLUMNS = [
  ['No longer served', ({ missing }) => missing],
  ['Changed', ({ changed }) => changed],
];

function monthTable(days: readonly Day[]): Html {
  const months = [...new Set(days.map(({ date }) => date.slice(0, 7)))];
  const rows = months.map((month) => {
    const ofMonth = days.filter(({ date }) => date.startsWith(month));
    const sumOf = (of: (day: Day) => number) => figure(ofMonth.reduce((sum, day) => sum + of(day), 0));
    const isSwept = ofMonth.some(({ sweep }) => sweep !== '');
    const cells = [
      ...MONTH_COLUMNS.map(([, of]) => sumOf(of)),
      ...SWEEP_COLUMNS.map(([, of]) => (isSwept ? sumOf(of) : 'not checked')),
    ];
    return html`<tr><th scope="row">${month}</th><td>${firstRead(ofMonth)}</td>${cells.map((cell) => html`<td class="number">${cell}</td>`)}</tr>`;
  });
  const counted = [...MONTH_COLUMNS, ...SWEEP_COLUMNS].map(([name]) => name);
  const numbers = counted.map((_, index) => index + 2);
  return table('Months', ['Month', 'First read', ...counted], rows, numbers);
}

/** The date, or the first and the last date, on which the days of a month were first read. */
function firstRead(days: readonly Day[]): Html {
  const dates = days.map(({ readOn }) => readOn).filter((date) => date !== '');
  const [first = 'not read', last = first] = [dates.at(0), dates.at(-1)];
  return html`<span class="date">${first}</span>${first === last ? '' : html` <span class="date">to ${last}</span>`}`;
}
