/** The chapter on coverage: which days of the period the archive holds, as a sentence, a calendar, ranges and a table of months. */
import { figure, plural } from '../../lambdas/shared/text';
import { drawCalendars, drawLegend, drawPatterns, isUnread } from './calendar';
import type { Day, Facts } from './facts';
import { type Html, html } from './html';
import { table } from './tables';

/** `completeness.csv` has every day. */
const MOST_RANGES = 100;

/** Consecutive days in the same state. */
interface Range {
  readonly state: string;
  readonly from: string;
  readonly to: string;
  readonly days: number;
}

export function coverageSentence(days: readonly Day[]): string {
  const count = (wanted: string) => days.filter(({ state }) => state === wanted).length;
  const unread = days.filter(({ state }) => isUnread(state)).length;
  const minutes = days.reduce((sum, { gapMinutes }) => sum + gapMinutes, 0);
  return [
    `Days read completely: ${figure(count('complete'))} of ${figure(days.length)}.`,
    ...(count('read in part') > 0 ? [`Read in part: ${figure(count('read in part'))}.`] : []),
    ...(count('gap') > 0
      ? [`With a gap: ${figure(count('gap'))}, in which ${plural(minutes, 'minute')} are lost.`]
      : []),
    ...(unread > 0 ? [`Not read: ${figure(unread)}.`] : []),
  ].join(' ');
}

export function coverage({ days }: Facts): Html {
  const ranges = rangesOf(days);
  const more = ranges.length - MOST_RANGES;
  return html`<h2>Coverage</h2>
<p>Each square is a UTC day. The darker it is, the more events it has. <a href="answers/completeness.csv">completeness.csv</a> has
every day with all figures. A run reads everything since the run before it, so days without a run of their own were read by a later run.</p>
${drawPatterns()}
${drawCalendars(days)}
${drawLegend()}
${table('Coverage', ['Days', 'From', 'To', 'State'], ranges.slice(0, MOST_RANGES).map(rangeRow), [0])}
${more > 0 ? html`<p>${plural(more, 'more range')} of days: see completeness.csv.</p>` : ''}
${monthTable(days)}`;
}

function rangeRow({ state, from, to, days }: Range): Html {
  return html`<tr><td class="number">${figure(days)}</td><td>${from}</td><td>${to}</td><td>${state === 'before the archive' ? 'not read: before the archive' : state}</td></tr>`;
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
  const names = ['First read', ...[...MONTH_COLUMNS, ...SWEEP_COLUMNS].map(([name]) => name)];
  return table(
    'Months',
    ['Month', ...names],
    rows,
    names.slice(1).map((_, index) => index + 2),
  );
}

/** The date, or the first and the last date, on which the days of a month were first read. */
function firstRead(days: readonly Day[]): Html {
  const dates = days.map(({ readOn }) => readOn).filter((date) => date !== '');
  const [first = 'not read', last = first] = [dates.at(0), dates.at(-1)];
  return html`<span class="date">${first}</span>${first === last ? '' : html` <span class="date">to ${last}</span>`}`;
}

function rangesOf(days: readonly Day[]): readonly Range[] {
  const ranges: Range[] = [];
  for (const { state, date } of days) {
    const last = ranges.at(-1);
    if (last?.state === state) ranges[ranges.length - 1] = { ...last, to: date, days: last.days + 1 };
    else ranges.push({ state, from: date, to: date, days: 1 });
  }
  return ranges;
}
