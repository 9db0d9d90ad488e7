import { type Call, type Context, isAllowed, type Policy, type Statement } from './policy';

const role = 'arn:aws:iam::111122223333:role/reader';
const stranger = 'arn:aws:iam::999999999999:role/reader';
const bucket = 'arn:aws:s3:::box';
const key = 'arn:aws:kms:eu-central-1:111122223333:key/k';

function ofRole(...statements: readonly Partial<Statement>[]): Policy {
  return { source: 'Role', of: { role }, statements: statements.map(withDefaults) };
}

function ofResource(resource: string, ...statements: readonly Partial<Statement>[]): Policy {
  return { source: 'Resource', of: { resource }, statements: statements.map(withDefaults) };
}

function withDefaults(fields: Partial<Statement>): Statement {
  return { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...fields };
}

function allowed(policies: readonly Policy[], call: Partial<Call> = {}): boolean {
  return isAllowed(policies, { principal: role, action: 's3:GetObject', resource: `${bucket}/a`, ...call });
}

test('an identity policy counts for a key only where the policy of the key hands over to this account', () => {
  const sign = { action: 'kms:Sign', resource: key };
  const mine = ofRole({ Action: 'kms:Sign', Resource: key });
  const handOver = ofResource(key, { Action: 'kms:*', Principal: { AWS: 'arn:aws:iam::111122223333:root' } });
  expect(allowed([mine], sign)).toBe(false);
  expect(allowed([handOver], sign)).toBe(false);
  expect(allowed([mine, handOver], sign)).toBe(true);
  expect(allowed([{ ...mine, of: { role: stranger } }, handOver], { ...sign, principal: stranger })).toBe(false);
});

test.each<[principal: NonNullable<Statement['Principal']>, isAllowed: boolean]>([
  ['*', true],
  [{ AWS: role }, true],
  [{ AWS: `${role}-2` }, false],
  [{ Service: 'logging' }, false],
])('a statement of the resource for %j allows the call of the role: %j', (Principal, expected) => {
  expect(allowed([ofResource(bucket, { Principal })])).toBe(expected);
});

const team = { StringLike: { k: 'events/team=*/*' } };
const roleA = { ArnNotEquals: { k: 'arn:aws:iam::1:role/a' } };

test.each<[condition: NonNullable<Statement['Condition']>, context: Context, holds: boolean]>([
  [{ StringEquals: { k: ['a', 'b'] } }, { k: 'b' }, true],
  [{ StringEquals: { k: 'a*' } }, { k: 'ab' }, false],
  [{ StringEquals: { k: 'a' } }, {}, false],
  [{ StringEquals: { k: 'a', l: 'b' } }, { k: 'a' }, false],
  [{ StringEquals: { k: 'a' }, Null: { l: 'false' } }, { k: 'a' }, false],
  [team, { k: 'events/team=a/' }, true],
  [team, { k: 'events/' }, false],
  [{ StringLike: { k: '*' } }, {}, false],
  [{ ArnLike: { k: 'arn:aws:ssm:*:1:parameter/a/*' } }, { k: 'arn:aws:ssm:x:1:parameter/a/b' }, true],
  [{ ArnLike: { k: 'arn:aws:ssm:*:parameter/a' } }, { k: 'arn:aws:ssm:x:1:parameter/a' }, false],
  [{ StringEquals: { 'AWS:principalarn': role } }, {}, true],
  [roleA, { k: 'arn:aws:iam::1:role/b' }, true],
  [roleA, { k: 'arn:aws:iam::1:role/a' }, false],
  [roleA, {}, true],
  [{ Null: { k: 'true' } }, {}, true],
  [{ Null: { k: 'true' } }, { k: '*' }, false],
  [{ Null: { k: 'false' } }, { k: '*' }, true],
  [{ Null: { k: 'false' } }, {}, false],
  [{ Bool: { k: 'false' } }, { k: 'false' }, true],
  [{ Bool: { k: 'false' } }, { k: 'true' }, false],
  [{ NumericLessThan: { k: 1.2 } }, { k: '1.1' }, true],
  [{ NumericLessThan: { k: 1.2 } }, { k: '1.2' }, false],
])('the condition %j of a request with %j holds: %j', (Condition, context, holds) => {
  expect(allowed([ofRole({ Condition })], { context })).toBe(holds);
});

test.each<[what: RegExp, policy: Policy]>([
  [/IfExists/, ofRole({ Condition: { StringEqualsIfExists: { k: 'a' } } })],
  [/NotPrincipal/, ofRole({ NotPrincipal: '*' } as Partial<Statement>)],
  [/NotAction/, ofRole({ NotAction: 's3:PutObject' } as Partial<Statement>)],
  [/principal/, ofResource(bucket, { Principal: { Federated: 'x' } })],
  [/without a principal/, ofResource(bucket, {})],
])('the evaluation of policies throws at what it does not understand: %s', (what, policy) => {
  expect(() => allowed([policy])).toThrow(what);
});
