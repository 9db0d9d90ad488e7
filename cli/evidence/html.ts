/**
 * HTML from templates. Every value is escaped unless it is itself made by a template, so no text of an event can become markup.
 * Control characters and marks that change the direction of text are shown as escapes.
 */
import { printable } from '../query-output';

export interface Html {
  readonly html: string;
}

export type HtmlValue = string | number | Html | readonly Html[];

export function html(texts: TemplateStringsArray, ...values: readonly HtmlValue[]): Html {
  return { html: texts.map((text, index) => text + asHtml(values[index] ?? '')).join('') };
}

function asHtml(value: HtmlValue): string {
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return escapeText(value);
  return 'html' in value ? value.html : value.map((each) => each.html).join('\n');
}

function escapeText(text: string): string {
  return printable(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
    .replaceAll("'", '&#39;');
}
