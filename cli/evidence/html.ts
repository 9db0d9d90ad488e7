/**
 * HTML from templates. Every value is escaped unless it is itself made by a template, so no text of an event can become markup.
 * Control characters and marks that change the direction of text are shown as escapes.
 */
import { figure, plural } from '../../lambdas/shared/text';
import { printable } from '../query-output';
import type { Counted } from './facts';

export interface Html {
  readonly html: string;
}

/** The files beside the report hold all rows. */
const MOST_ROWS = 25;

export function html(
  texts: TemplateStringsArray,
  ...values: readonly (string | number | Html | readonly Html[])[]
): Html {
  const asHtml = (value: (typeof values)[number]): string => {
    if (typeof value !== 'object') return escapeText(String(value));
    return 'html' in value ? value.html : value.map((each) => each.html).join('\n');
  };
  return { html: texts.map((text, index) => text + asHtml(values[index] ?? '')).join('') };
}

function escapeText(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}

/** A table may be wider than a screen. Then it is moved by itself, also with the keyboard. `numbers` are columns of figures. */
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

/** A table with a bar for each count, from the greatest on. */
export function countTable(noun: string, counted: readonly Counted[]): Html {
  if (counted.length === 0) return html`<p class="none">There are no events.</p>`;
  const sumOf = (some: readonly Counted[]) => some.reduce((sum, { count }) => sum + count, 0);
  const most = counted[0]?.count ?? 1;
  const all = sumOf(counted);
  const rows = counted.slice(0, MOST_ROWS).map(({ name, count }) => {
    const bar = html`<svg role="img" aria-label="${((100 * count) / all).toFixed(1)} %" width="100%" height="14"><rect width="${((100 * count) / most).toFixed(2)}%" height="14" fill="#2f6fb3"/></svg>`;
    return html`<tr><th scope="row">${name}</th><td class="number">${figure(count)}</td><td class="plot">${bar}</td></tr>`;
  });
  const others = counted.slice(MOST_ROWS);
  return html`${table(`Events by ${noun.toLowerCase()}`, [noun, 'Events', 'Share'], rows, [1])}
${others.length > 0 ? html`<p>${plural(others.length, 'other')} with ${plural(sumOf(others), 'event')} together: see <a href="events.csv">events.csv</a>.</p>` : ''}`;
}
