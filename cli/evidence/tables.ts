/** The tables of the report. */
import { figure, plural } from '../../lambdas/shared/text';
import type { Counted } from './facts';
import { type Html, html } from './html';

/** The files beside the report hold all rows. */
const MOST_ROWS = 25;

/** A table may be wider than a screen. Then it is moved by itself, also with the keyboard. */
export function table(
  label: string,
  columns: readonly string[],
  rows: readonly Html[],
  numbers: readonly number[] = [],
): Html {
  const head = columns.map(
    (name, index) => html`<th scope="col" class="${numbers.includes(index) ? 'number' : 'text'}">${name}</th>`,
  );
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${label}"><table><thead><tr>${head}</tr></thead><tbody>${rows}</tbody></table></div>`;
}

export function countTable(noun: string, counted: readonly Counted[]): Html {
  if (counted.length === 0) return html`<p class="none">There are no events.</p>`;
  const most = counted[0]?.count ?? 1;
  const all = counted.reduce((sum, { count }) => sum + count, 0);
  const shareOf = (count: number) => ((100 * count) / all).toFixed(1);
  const rows = counted
    .slice(0, MOST_ROWS)
    .map(
      ({ name, count }) =>
        html`<tr><th scope="row">${name}</th><td class="number">${figure(count)}</td><td class="plot"><svg role="img" aria-label="${shareOf(count)} %" viewBox="0 0 100 10" preserveAspectRatio="none"><rect width="${((100 * count) / most).toFixed(2)}" height="10"/></svg></td></tr>`,
    );
  const others = counted.slice(MOST_ROWS);
  const rest = others.reduce((sum, { count }) => sum + count, 0);
  return html`${table(`Events by ${noun.toLowerCase()}`, [noun, 'Events', 'Share'], rows, [1])}
${others.length > 0 ? html`<p>${plural(others.length, 'other')} with ${plural(rest, 'event')} together: see <a href="events.csv">events.csv</a>.</p>` : ''}`;
}
