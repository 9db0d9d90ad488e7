import type { Query } from '../infra/queries/queries';

export function list(queries: readonly Query[]): string {
  const widest = Math.max(...queries.map(({ name }) => name.length));
  const lines = queries.map(({ name, purpose }) => `  ${name.padEnd(widest)}  ${firstSentence(purpose)}`);
  return [
    'Queries:',
    ...lines,
    '',
    '"audit-archive query NAME --explain" shows one query with its parameters and its SQL.',
    '"audit-archive query --help" explains how to run a query.',
  ].join('\n');
}

export function explain({ purpose, controls, parameters, name, text }: Query): string {
  const widest = Math.max(...parameters.map((parameter) => parameter.name.length));
  const lines = parameters.map(({ name: parameter, type, meaning, preset, example }) => {
    return `  ${parameter.padEnd(widest)}  ${meaning} (${type}, ${preset === undefined ? `required, for example ${example}` : `default: ${preset}`})`;
  });
  const sql = text.replace(/^(?:--.*\n)+/, '').trimEnd();
  return [`${name}: ${purpose}`, '', `Controls: ${controls.join('; ')}`, '', 'Parameters:', ...lines, '', sql].join(
    '\n',
  );
}

export function described({ name, purpose, controls, parameters }: Query): object {
  return { name, purpose, controls, parameters };
}

function firstSentence(text: string): string {
  return text.replace(/(?<=\.)\s.*$/, '');
}
