/**
 * The rights of the synthesised template, evaluated. `required` stands for what the archive does, `forbidden` for what
 * must never happen; a statement that could go without either noticing has no business being there.
 */
import { deploy } from '../support/deployed';
import { type Call, decide, type Policy } from '../support/policy';
import { synthesise } from '../support/synthesised';
import { adminPolicy, type Calls, forbidden, forbiddenWithEveryRight, required } from './calls';
import { matrix } from './matrix';

const { template } = synthesise(matrix['one team']);
const deployed = deploy(template);
const ids = Object.keys(template.toJSON().Resources);

function arn(beginning: string): string {
  const found = ids.filter((id) => /^[0-9A-F]{8}$/.test(id.slice(beginning.length)) && id.startsWith(beginning));
  if (found[0] === undefined || found.length > 1) throw new Error(`${found.length} resources are called ${beginning}`);
  return deployed.arnOf(found[0]);
}

const policies = [...deployed.policies, adminPolicy];
const requiredCalls = required({ arn });
const forbiddenCalls = forbidden({ arn });
const lastDefence = forbiddenWithEveryRight({ arn });
const everyRight: Policy = { ...adminPolicy, source: 'EveryRight', of: { role: arn('ArchiverRole') } };

describe('is allowed:', () => {
  it.each(Object.entries(requiredCalls))('%s', (_, call) => {
    expect(decide(policies, call)).toMatchObject({ allowed: true });
  });
});

describe('is denied:', () => {
  it.each(Object.entries(forbiddenCalls))('%s', (_, call) => {
    expect(decide(policies, call)).toMatchObject({ allowed: false });
  });
});

describe('is denied to the archiver with every right:', () => {
  it.each(Object.entries(lastDefence))('%s', (_, call) => {
    expect(decide([...policies, everyRight], call)).toMatchObject({ allowed: false });
  });
});

describe('of the statements', () => {
  const cases = policies.flatMap((policy) =>
    policy === adminPolicy
      ? []
      : policy.statements.map((each, i) => [`${policy.source} ${each.Sid ?? i}`, policy, i] as const),
  );

  it.each(cases)('%s is missed when it is gone', (_, policy, index) => {
    const without = policies.map((each) => (each === policy ? drop(policy, index) : each));
    const noticed = [
      ...surprises(without, requiredCalls, true),
      ...surprises(without, forbiddenCalls, false),
      ...surprises([...without, everyRight], lastDefence, false),
    ];
    expect(noticed).not.toEqual([]);
  });
});

describe('every right that is granted', () => {
  it('is used by a required call', () => {
    const used = new Set(Object.values(requiredCalls).map(({ principal, action }) => `${principal} ${action}`));
    const granted = deployed.policies.flatMap(({ of, statements }) =>
      'role' in of
        ? statements.flatMap(({ Action }) => [Action ?? []].flat().map((action) => `${of.role} ${action}`))
        : [],
    );
    expect(granted.filter((right) => !used.has(right))).toEqual([]);
  });
});

function drop(policy: Policy, index: number): Policy {
  return { ...policy, statements: policy.statements.filter((_, i) => i !== index) };
}

/** The names of the calls that are not decided as they should be. */
function surprises(within: readonly Policy[], calls: Calls, allowed: boolean): string[] {
  return Object.entries(calls).flatMap(([name, call]: [string, Call]) =>
    decide(within, call).allowed === allowed ? [] : [name],
  );
}
