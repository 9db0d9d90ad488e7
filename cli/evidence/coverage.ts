/** The chapter on coverage: which days of the period the archive holds, as a sentence, a calendar, ranges and a table of months. */
import { figure, plural } from '../../lambdas/shared/text';
import { drawCalendars, drawLegend, drawPatterns, isUncovered } from './calendar';
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
  const uncovered = days.filter(({ state }) => isUncovered(state)).length;
  const minutes = days.reduce((sum, { gapMinutes }) => sum + gapMinutes, 0);
  const parts = [
    `${plural(count('complete'), 'day')} of ${plural(days.length, 'day')} were read completely`,
    ...(count('read in part') > 0 ? [`${count('read in part')} in part`] : []),
    ...(count('gap') > 0
      ? [`${plural(count('gap'), 'day')} have a gap, in which ${plural(minutes, 'minute')} are lost`]
      : []),
    ...(uncovered > 0 ? [`${plural(uncovered, 'day')} are not covered`] : []),
  ];
  return `${parts.join('; ')}.`;
}

export function coverage({ days }: Facts): Html {
  const ranges = rangesOf(days);
  const more = ranges.length - MOST_RANGES;
  return html`<h2>Coverage</h2>
<p>Each square is a UTC day. The darker it is, the more events it has. <a href="answers/completeness.csv">completeness.csv</a> has
every day with all figures; the list of answers below says what its columns mean.</p>
${drawPatterns()}
${drawCalendars(days)}
${drawLegend()}
${table('Coverage', ['Days', 'From', 'To', 'State'], ranges.slice(0, MOST_RANGES).map(rangeRow), [0])}
${more > 0 ? html`<p>${plural(more, 'more range')} of days: see completeness.csv.</p>` : ''}
${monthTable(days)}`;
}

function rangeRow({ state, from, to, days }: Range): Html {
  return html`<tr><td class="number">${figure(days)}</td><td>${from}</td><td>${to}</td><td>${state}</td></tr>`;
}

const MONTH_COLUMNS: readonly (readonly [string, (day: Day) => number])[] = [
  ['Events', ({ events }) => events],
  ['Late events', ({ late }) => late],
  ['Quarantined', ({ quarantined }) => quarantined],
  ['Runs', ({ runs }) => runs],
  ['Days complete', ({ state }) => Number(state === 'complete')],
  ['Days in part', ({ state }) => Number(state === 'read in part')],
  ['Days with a gap', ({ state }) => Number(state === 'gap')],
  ['Minutes lost', ({ gapMinutes }) => gapMinutes],
  ['Days not covered', ({ state }) => Number(isUncovered(state))],
  ['Days swept', ({ sweep }) => Number(sweep !== '')],
  ['No longer served', ({ missing }) => missing],
  ['Changed', ({ changed }) => changed],
];

function monthTable(days: readonly Day[]): Html {
  const months = [...new Set(days.map(({ date }) => date.slice(0, 7)))];
  const rows = months.map((month) => {
    const ofMonth = days.filter(({ date }) => date.startsWith(month));
    const sums = MONTH_COLUMNS.map(([, of]) => ofMonth.reduce((sum, day) => sum + of(day), 0));
    return html`<tr><th scope="row">${month}</th>${sums.map((sum) => html`<td class="number">${figure(sum)}</td>`)}</tr>`;
  });
  const names = MONTH_COLUMNS.map(([name]) => name);
  return table(
    'Months',
    ['Month', ...names],
    rows,
    names.map((_, index) => index + 1),
  );
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
