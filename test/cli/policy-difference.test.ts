import { policyDifference } from '../../cli/policy-difference';

const lock = { Sid: 'Lock', Effect: 'Deny', Principal: { AWS: '*' }, Action: ['s3:A', 's3:B'], Resource: 'arn:x' };
const tls = { Effect: 'Deny', Principal: { AWS: '*' }, Action: 's3:*', Condition: { N: { 's3:TlsVersion': 1.2 } } };
const policy = { Version: '2012-10-17', Statement: [lock, tls] };
const same = { missing: [], added: [], changed: [] };

test.each<[string, unknown, object]>([
  ['the same policy', policy, same],
  ['another order', { Statement: [tls, { ...lock, Action: ['s3:B', 's3:A'] }] }, same],
  ['a list of one value', { Statement: [{ ...lock, Resource: ['arn:x'] }, tls] }, same],
  ['a number as a text', { Statement: [lock, { ...tls, Condition: { N: { 's3:TlsVersion': '1.2' } } }] }, same],
  [
    'no statement',
    { Statement: [] },
    { ...same, missing: ['Lock', expect.stringMatching(/^Deny s3:\* .*TlsVersion/)] },
  ],
  ['a weaker effect', { Statement: [{ ...lock, Effect: 'Allow' }, tls] }, { ...same, changed: ['Lock'] }],
  ['fewer actions', { Statement: [{ ...lock, Action: 's3:A' }, tls] }, { ...same, changed: ['Lock'] }],
  ['another principal', { Statement: [{ ...lock, Principal: { AWS: 'arn:y' } }, tls] }, { ...same, changed: ['Lock'] }],
  ['an exception', { Statement: [{ ...lock, Condition: { Bool: { a: 'b' } } }, tls] }, { ...same, changed: ['Lock'] }],
  ['one more', { Statement: [lock, tls, { ...lock, Sid: 'More', Effect: 'Allow' }] }, { ...same, added: ['More'] }],
])('a policy is compared by what it means: %s', (_name, found, difference) => {
  expect(policyDifference(policy, found)).toEqual(difference);
});
