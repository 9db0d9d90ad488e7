import { type Call, decide, type Policy, type Statement } from './policy';

const role = 'arn:aws:iam::111122223333:role/reader';
const bucket = 'arn:aws:s3:::box';
const key = 'arn:aws:kms:eu-central-1:111122223333:key/k';
const root = { AWS: 'arn:aws:iam::111122223333:root' };

function statement(fields: Partial<Statement>): Statement {
  return { Effect: 'Allow', Action: 's3:GetObject', Resource: '*', ...fields };
}

function ofRole(...statements: readonly Statement[]): Policy {
  return { source: 'Role', of: { role }, statements };
}

function ofResource(resource: string, ...statements: readonly Statement[]): Policy {
  return { source: 'Resource', of: { resource }, statements };
}

function allowed(policies: readonly Policy[], call: Partial<Call> = {}): boolean {
  return decide(policies, { principal: role, action: 's3:GetObject', resource: `${bucket}/a`, ...call }).allowed;
}

describe('without conditions', () => {
  it('denies what no statement allows', () => {
    expect(allowed([])).toBe(false);
    expect(allowed([ofRole(statement({ Action: 's3:PutObject' }))])).toBe(false);
    expect(allowed([ofRole(statement({ Resource: `${bucket}/b` }))])).toBe(false);
  });

  it('allows by the identity policy or by the policy of the resource', () => {
    expect(allowed([ofRole(statement({}))])).toBe(true);
    expect(allowed([ofResource(bucket, statement({ Principal: { AWS: role } }))])).toBe(true);
  });

  it('lets an explicit deny win wherever it stands', () => {
    const deny = { Effect: 'Deny' } as const;
    expect(allowed([ofRole(statement({}), statement(deny))])).toBe(false);
    expect(allowed([ofRole(statement({})), ofResource(bucket, statement({ ...deny, Principal: '*' }))])).toBe(false);
  });

  it('counts no policy of another role or another resource', () => {
    const other = `${role}-2`;
    expect(allowed([ofRole(statement({}))], { principal: other })).toBe(false);
    expect(allowed([ofResource('arn:aws:s3:::bo', statement({ Principal: { AWS: role } }))])).toBe(false);
    expect(allowed([ofResource(bucket, statement({ Principal: { AWS: other } }))])).toBe(false);
    expect(allowed([ofResource(bucket, statement({ Principal: { Service: 'logging.s3.amazonaws.com' } }))])).toBe(
      false,
    );
  });

  it('reads wildcards in actions, whatever their case, and in resources', () => {
    expect(allowed([ofRole(statement({ Action: 'S3:get*' }))])).toBe(true);
    expect(allowed([ofRole(statement({ Action: 's3:GetObjec?' }))])).toBe(true);
    expect(allowed([ofRole(statement({ Action: 's3.GetObject' }))])).toBe(false);
    expect(allowed([ofRole(statement({ Resource: `${bucket}/team=*/*` }))], { resource: `${bucket}/team=a/b/c` })).toBe(
      true,
    );
    expect(allowed([ofRole(statement({ Resource: `${bucket}/team=*/*` }))], { resource: `${bucket}/a/team=a/b` })).toBe(
      false,
    );
  });

  it('reads NotAction and NotResource as everything else', () => {
    const { Action: _action, ...noAction } = statement({ NotAction: ['s3:Put*', 's3:Delete*'] });
    expect(allowed([ofRole(noAction)])).toBe(true);
    expect(allowed([ofRole(noAction)], { action: 's3:PutObject' })).toBe(false);
    const { Resource: _resource, ...noResource } = statement({ NotResource: `${bucket}/secret/*` });
    expect(allowed([ofRole(noResource)])).toBe(true);
    expect(allowed([ofRole(noResource)], { resource: `${bucket}/secret/a` })).toBe(false);
  });
});

describe('a key', () => {
  const sign = { action: 'kms:Sign', resource: key };
  const mine = ofRole(statement({ Action: 'kms:Sign', Resource: key }));

  it('needs its own policy to hand over to the account before an identity policy counts', () => {
    expect(allowed([mine], sign)).toBe(false);
    expect(allowed([mine, ofResource(key, statement({ Action: 'kms:*', Principal: root }))], sign)).toBe(true);
  });

  it('is open to nobody just because its policy hands over to the account', () => {
    expect(allowed([ofResource(key, statement({ Action: 'kms:*', Principal: root }))], sign)).toBe(false);
  });

  it('is handed over to this account only', () => {
    const stranger = { ...sign, principal: 'arn:aws:iam::999999999999:role/reader' };
    const theirs: Policy = { ...mine, of: { role: stranger.principal } };
    expect(allowed([theirs, ofResource(key, statement({ Action: 'kms:*', Principal: root }))], stranger)).toBe(false);
  });
});

describe('a condition', () => {
  const when = (Condition: NonNullable<Statement['Condition']>, context: Readonly<Record<string, string>> = {}) =>
    allowed([ofRole(statement({ Condition }))], { context });

  it('StringEquals wants one of the values, exactly', () => {
    expect(when({ StringEquals: { k: ['a', 'b'] } }, { k: 'b' })).toBe(true);
    expect(when({ StringEquals: { k: 'a*' } }, { k: 'ab' })).toBe(false);
    expect(when({ StringEquals: { k: 'a' } })).toBe(false);
  });

  it('StringLike reads wildcards', () => {
    expect(when({ StringLike: { k: 'events/team=*/*' } }, { k: 'events/team=a/' })).toBe(true);
    expect(when({ StringLike: { k: 'events/team=*/*' } }, { k: 'events/' })).toBe(false);
    expect(when({ StringLike: { k: '*' } })).toBe(false);
  });

  it('ArnLike keeps a wildcard within its part', () => {
    expect(when({ ArnLike: { k: 'arn:aws:ssm:*:1:parameter/a/*' } }, { k: 'arn:aws:ssm:x:1:parameter/a/b' })).toBe(
      true,
    );
    expect(when({ ArnLike: { k: 'arn:aws:ssm:*:parameter/a' } }, { k: 'arn:aws:ssm:x:1:parameter/a' })).toBe(false);
  });

  it('ArnNotEquals holds for another ARN, and where there is none', () => {
    expect(when({ ArnNotEquals: { k: 'arn:aws:iam::1:role/a' } }, { k: 'arn:aws:iam::1:role/b' })).toBe(true);
    expect(when({ ArnNotEquals: { k: 'arn:aws:iam::1:role/a' } }, { k: 'arn:aws:iam::1:role/a' })).toBe(false);
    expect(when({ ArnNotEquals: { k: 'arn:aws:iam::1:role/a' } })).toBe(true);
  });

  it('Null asks whether the key is absent', () => {
    expect(when({ Null: { k: 'true' } })).toBe(true);
    expect(when({ Null: { k: 'true' } }, { k: '*' })).toBe(false);
    expect(when({ Null: { k: 'false' } }, { k: '*' })).toBe(true);
    expect(when({ Null: { k: 'false' } })).toBe(false);
  });

  it('Bool and NumericLessThan compare values', () => {
    expect(when({ Bool: { k: 'false' } }, { k: 'false' })).toBe(true);
    expect(when({ Bool: { k: 'false' } }, { k: 'true' })).toBe(false);
    expect(when({ NumericLessThan: { k: 1.2 } }, { k: '1.1' })).toBe(true);
    expect(when({ NumericLessThan: { k: 1.2 } }, { k: '1.2' })).toBe(false);
  });

  it('knows the principal, and keys whatever their case', () => {
    expect(when({ ArnEquals: { 'AWS:principalarn': role } })).toBe(true);
  });

  it('needs every operator and every key to hold', () => {
    expect(when({ StringEquals: { k: 'a', l: 'b' } }, { k: 'a' })).toBe(false);
    expect(when({ StringEquals: { k: 'a' }, Null: { l: 'false' } }, { k: 'a' })).toBe(false);
  });
});

describe('what it does not understand', () => {
  it('throws instead of deciding', () => {
    expect(() => allowed([ofRole(statement({ Condition: { StringEqualsIfExists: { k: 'a' } } }))])).toThrow(/IfExists/);
    expect(() => allowed([ofRole({ ...statement({}), NotPrincipal: '*' } as Statement)])).toThrow(/NotPrincipal/);
    expect(() => allowed([ofResource(bucket, statement({ Principal: { Federated: 'x' } }))])).toThrow(/principal/);
    expect(() => allowed([ofResource(bucket, statement({}))])).toThrow(/without a principal/);
  });
});
