/**
 * Evaluates the policies of the synthesised template as AWS does within one account, as far as this stack needs it. An
 * explicit deny wins; otherwise an identity policy or the policy of the resource must allow the call. Identity policies
 * count for a key only if the policy of the key says so. An unknown element throws, so that no test passes because of it.
 */
import { ACCOUNT } from './deployed';

export interface Call {
  /** The ARN of a role, or the name of a service. */
  readonly principal: string;
  readonly action: string;
  readonly resource: string;
  /** The condition keys of the request; `aws:PrincipalArn` is added. */
  readonly context?: Context;
}

export type Context = Readonly<Record<string, string>>;

export interface Statement {
  readonly Sid?: string;
  readonly Effect: 'Allow' | 'Deny';
  readonly Principal?: '*' | Readonly<Record<string, OneOrMany>>;
  readonly Action?: OneOrMany;
  readonly Resource?: OneOrMany;
  readonly NotResource?: OneOrMany;
  readonly Condition?: Readonly<Record<string, Readonly<Record<string, OneOrMany>>>>;
}

type OneOrMany = string | number | readonly (string | number)[];

export interface Policy {
  /** The logical id of the resource that holds the statements. */
  readonly source: string;
  /** The role that the policy is attached to, or the resource that it belongs to. */
  readonly of: { readonly role: string } | { readonly resource: string };
  readonly statements: readonly Statement[];
}

const ROOT = `arn:aws:iam::${ACCOUNT}:root`;

export function isAllowed(policies: readonly Policy[], call: Call): boolean {
  const matching = policies
    .filter((policy) => governs(policy, call))
    .flatMap(({ of, statements }) =>
      statements.filter((each) => matches(each, of, call)).map((each) => ({ of, each })),
    );
  if (matching.some(({ each }) => each.Effect === 'Deny')) return false;
  const ofResource = matching.filter(({ of }) => 'resource' in of);
  if (ofResource.some(({ each }) => !isDelegation(each))) return true;
  const isOwnRight = matching.length > ofResource.length;
  return isOwnRight && (!needsDelegation(call) || ofResource.length > 0);
}

/** For keys and roles, identity policies count only if the policy of the resource hands over to the account. */
function needsDelegation({ action }: Call): boolean {
  return action.startsWith('kms:') || action.startsWith('sts:');
}

function governs({ of }: Policy, call: Call): boolean {
  if ('role' in of) return of.role === call.principal;
  return call.resource === of.resource || call.resource.startsWith(`${of.resource}/`);
}

/** A resource policy that names the account allows nobody by itself: it lets the identity policies decide. */
function isDelegation({ Principal }: Statement): boolean {
  return typeof Principal === 'object' && list(Principal.AWS).includes(ROOT);
}

function matches(statement: Statement, of: Policy['of'], call: Call): boolean {
  const known = ['Sid', 'Effect', 'Principal', 'Action', 'Resource', 'NotResource', 'Condition'];
  const unknown = Object.keys(statement).filter((key) => !known.includes(key));
  if (unknown.length > 0) throw new Error(`cannot evaluate ${unknown.join()}`);
  return (
    list(statement.Action).some((each) => glob(each, call.action)) &&
    ('role' in of || principalMatches(statement.Principal, call)) &&
    resourceMatches(statement, of, call) &&
    conditionsHold(statement, call)
  );
}

function principalMatches(principal: Statement['Principal'], call: Call): boolean {
  if (principal === undefined) throw new Error('a resource policy without a principal');
  if (principal === '*') return true;
  const known = ['AWS', 'Service'];
  if (Object.keys(principal).some((kind) => !known.includes(kind))) throw new Error('cannot evaluate the principal');
  if (list(principal.Service).includes(call.principal)) return true;
  const named = list(principal.AWS);
  return named.includes('*') || named.includes(call.principal) || (named.includes(ROOT) && isOfAccount(call.principal));
}

function isOfAccount(principal: string): boolean {
  return principal.startsWith(`arn:aws:iam::${ACCOUNT}:`);
}

/** In the policy of a key or a role, `*` or no resource at all means that key or role. */
function resourceMatches({ Resource, NotResource }: Statement, of: Policy['of'], { resource }: Call): boolean {
  if (NotResource !== undefined) return !list(NotResource).some((each) => glob(each, resource));
  if (Resource === undefined) return 'resource' in of && of.resource === resource;
  return list(Resource).some((each) => glob(each, resource));
}

type Operator = (expected: string, actual: string) => boolean;

const OPERATORS: Readonly<Record<string, Operator>> = {
  StringEquals: (expected, actual) => expected === actual,
  StringLike: (expected, actual) => glob(expected, actual),
  ArnLike: arnLike,
  Bool: (expected, actual) => expected === actual,
  NumericLessThan: (expected, actual) => Number(actual) < Number(expected),
};

/** All operators and keys must hold, with one of the values each. A key that the request lacks does not hold. */
function conditionsHold({ Condition = {} }: Statement, call: Call): boolean {
  const isRole = call.principal.startsWith('arn:');
  const context: Context = { ...(isRole && { 'aws:PrincipalArn': call.principal }), ...call.context };
  const actualOf = (key: string) =>
    Object.entries(context).find(([name]) => name.toLowerCase() === key.toLowerCase())?.[1];
  return Object.entries(Condition).every(([operator, tests]) =>
    Object.entries(tests).every(([key, expected]) => holds(operator, list(expected), actualOf(key))),
  );
}

function holds(operator: string, expected: readonly string[], actual: string | undefined): boolean {
  if (operator === 'Null') return expected.includes(String(actual === undefined));
  if (operator === 'ArnNotEquals') return actual === undefined || !expected.some((each) => arnLike(each, actual));
  const compare = OPERATORS[operator];
  if (compare === undefined) throw new Error(`cannot evaluate ${operator}`);
  return actual !== undefined && expected.some((each) => compare(each, actual));
}

/** A wildcard does not match a colon, except in the last of the six parts of an ARN. */
function arnLike(expected: string, actual: string): boolean {
  const parts = (arn: string) => [...arn.split(':').slice(0, 5), arn.split(':').slice(5).join(':')];
  return parts(expected).every((part, i) => glob(part, parts(actual)[i] ?? ''));
}

function glob(pattern: string, text: string): boolean {
  const source = pattern
    .replace(/[.+^${}()|[\]\\]/g, '\\$&')
    .replaceAll('*', '.*')
    .replaceAll('?', '.');
  return new RegExp(`^${source}$`, 's').test(text);
}

function list(value: OneOrMany | undefined): string[] {
  return value === undefined ? [] : [value].flat().map(String);
}
