/**
 * Compares the statements of two policies. The order of statements and of values, and a single value in place of a list of one, make
 * no difference. Everything else in a statement does. `Version` and `Id` of the policies are not compared.
 */

type Statement = Readonly<Record<string, unknown>>;

/** The names of statements that are only expected, of those that are only found, and of those that differ. */
export function policyDifference(expected: unknown, found: unknown) {
  const [wanted, there] = [statementsOf(expected), statementsOf(found)];
  const gone = [...wanted].filter(([text]) => !there.has(text)).map(([, name]) => name);
  const more = [...there].filter(([text]) => !wanted.has(text)).map(([, name]) => name);
  return {
    missing: gone.filter((name) => !more.includes(name)),
    added: more.filter((name) => !gone.includes(name)),
    changed: gone.filter((name) => more.includes(name)),
  };
}

/** The name of each statement, by a text that is the same for statements that mean the same. */
function statementsOf(policy: unknown): ReadonlyMap<string, string> {
  const { Statement = [] } = policy as { readonly Statement?: Statement | readonly Statement[] };
  return new Map([Statement].flat().map((each) => [JSON.stringify(normal(each)), nameOf(each)]));
}

function nameOf({ Sid, Effect, Action, Condition }: Statement): string {
  return typeof Sid === 'string' ? Sid : `${Effect} ${[Action].flat().join(', ')} ${JSON.stringify(Condition ?? {})}`;
}

/** Numbers and texts are alike, because AWS returns each of them as the other. */
function normal(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return [String(value)];
  if (Array.isArray(value)) return value.map(String).sort();
  const entries = Object.entries(value).map(([key, each]) => [key, normal(each)] as const);
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}
