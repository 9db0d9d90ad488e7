/**
 * The rights in the synthesised template, evaluated. The required calls are the work of the archive, and the forbidden calls
 * must never be possible. Every statement must be needed by one of them.
 */
import { deploy } from '../support/deployed';
import { isAllowed, type Policy } from '../support/policy';
import { synthesise } from '../support/synthesised';
import {
  adminPolicies,
  type Calls,
  everyRight,
  forbidden,
  forbiddenWithEveryRight,
  readCalls,
  required,
} from './calls';
import { matrix } from './matrix';

const { template } = synthesise(matrix['with auditors']);
const deployed = deploy(template);
const ids = Object.keys(template.toJSON().Resources);

function arn(beginning: string): string {
  const [id, ...others] = ids.filter(
    (each) => each.startsWith(beginning) && /^[0-9A-F]{8}$/.test(each.slice(beginning.length)),
  );
  if (id === undefined || others.length > 0) throw new Error(`not exactly one resource is called ${beginning}`);
  return deployed.arnOf(id);
}

const policies = [...deployed.policies, ...adminPolicies];
const requiredCalls = readCalls(required, arn);
const forbiddenCalls = readCalls(forbidden, arn);
const lastDefence = readCalls(forbiddenWithEveryRight, arn);
const unlimitedArchiver = everyRight(arn('ArchiverRole'));

test.each(Object.entries(requiredCalls))('the template allows that %s', (_, call) => {
  expect(isAllowed(policies, call)).toBe(true);
});

test.each(Object.entries(forbiddenCalls))('the template denies that %s', (_, call) => {
  expect(isAllowed(policies, call)).toBe(false);
});

test.each(Object.entries(lastDefence))('even if its role is given every right, it is denied that %s', (_, call) => {
  expect(isAllowed([...policies, unlimitedArchiver], call)).toBe(false);
});

const statements = deployed.policies.flatMap((policy) =>
  policy.statements.map((each, i) => [`${policy.source} ${each.Sid ?? i}`, policy, i] as const),
);

test.each(
  statements,
)('without the statement %s a required call fails or a forbidden one succeeds', (_, policy, index) => {
  const shorter = { ...policy, statements: policy.statements.filter((_, i) => i !== index) };
  const without = policies.map((each) => (each === policy ? shorter : each));
  const noticed = [
    ...surprises(without, requiredCalls, true),
    ...surprises(without, forbiddenCalls, false),
    ...surprises([...without, unlimitedArchiver], lastDefence, false),
  ];
  expect(noticed).not.toEqual([]);
});

test('every right that a role has is used by a required call', () => {
  const used = new Set(Object.values(requiredCalls).map(({ principal, action }) => `${principal} ${action}`));
  const granted = deployed.policies.flatMap(({ of, statements }) =>
    'role' in of
      ? statements.flatMap(({ Action }) => [Action ?? []].flat().map((action) => `${of.role} ${action}`))
      : [],
  );
  expect(granted.filter((right) => !used.has(right))).toEqual([]);
});

/** The names of the calls that are not decided as they should be. */
function surprises(within: readonly Policy[], calls: Calls, allowed: boolean): string[] {
  return Object.entries(calls).flatMap(([name, call]) => (isAllowed(within, call) === allowed ? [] : [name]));
}
