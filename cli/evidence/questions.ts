/** The saved queries, each with its parameters for the period. A query whose parameter nobody gave is not asked. */
import { FIRST_DATE } from '../../infra/queries/dates';
import { bind, type Query, readQueries, statement, type Values } from '../../infra/queries/queries';
import { dateOf, midnight } from '../../lambdas/shared/time';
import type { Period } from './facts';

export interface Question {
  readonly query: Query;
  readonly parameters: Values;
  /** The parameters that were given with `--param`, also those of other queries. */
  readonly stated: Values;
  /** The SQL; undefined where a parameter is not given. */
  readonly statement: string | undefined;
  /** The parameters that are not given, each with an example. */
  readonly needs: readonly string[];
}

export interface Questions {
  readonly questions: readonly Question[];
  /** The first date that some query reads. */
  readonly historyFrom: string;
}

/** Returns the questions, or everything that is wrong with the given parameters. */
export function prepareQuestions(
  team: string,
  period: Period,
  param: Values,
  now: Date,
): Questions | readonly string[] {
  const given: Values = { ...param, team, ...period };
  const problems = new Set<string>();
  if (period.from < FIRST_DATE) problems.add(`from must not be earlier than ${FIRST_DATE}: no event is older`);
  if (period.to > dateOf(midnight(now, 1))) problems.add('to must not be later than tomorrow');
  const names = new Set<string>();
  const questions = readQueries().map((query): Question => {
    for (const { name } of query.parameters) names.add(name);
    const known = Object.fromEntries(
      query.parameters.flatMap(({ name }) => (given[name] === undefined ? [] : [[name, given[name]]])),
    );
    const missing = query.parameters.filter(({ name, preset }) => (known[name] ?? preset) === undefined);
    const needs = missing.map(({ name, example }) => `${name}=${example}`);
    if (needs.length > 0) return { query, parameters: known, stated: param, statement: undefined, needs };
    const bound = bind(query, known, now);
    if ('problems' in bound) for (const problem of bound.problems) problems.add(problem);
    const parameters = 'values' in bound ? bound.values : known;
    return { query, parameters, stated: param, statement: statement(query, parameters), needs };
  });
  for (const name of Object.keys(param))
    if (!names.has(name)) problems.add(`no query has a parameter ${JSON.stringify(name)}`);
  if (problems.size > 0) return [...problems];
  const first = questions.map(({ parameters }) => parameters.history_from ?? period.from).sort()[0];
  return { questions, historyFrom: first ?? period.from };
}
