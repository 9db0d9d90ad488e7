import { createContractCheck } from './contract-check';

const contract = createContractCheck('contract');
const reality = createContractCheck('reality');
const page = (event: object, more: object = {}) => JSON.stringify({ trails: [event], ...more });
const times = { since: '2026-01-01T00:00:00Z', until: '2026-06-01T10:00:00.000Z' };
const good = { ...times, limit: '300', orderBy: 'asc', cursor: '1' };

test('a request and an event with every documented field keep the contract', () => {
  const user = { id: 1, name: 'A', email: 'a@example.com', username: 'a' };
  const data = { team: { id: 1, name: 'T' }, variables: {} };
  const event = { id: '1', ip: '::1', userAgent: 'x', action: 'a', timestamp: good.since, message: '', user, data };
  for (const check of [contract, reality]) {
    expect(check.request(new URLSearchParams(good))).toEqual([]);
    expect(check.response(200, page(event, { meta: { nextCursor: '1', total: 1 } }))).toEqual([]);
  }
});

test.each([
  [{ limit: '301' }, 'query/limit: must be <= 300'],
  [{ limit: 'many' }, 'query/limit: must be integer'],
  [{ orderBy: 'up' }, 'query/orderBy: must be equal to one of the allowed values'],
  [{ order_by: 'asc' }, 'query: must NOT have additional properties'],
  [{ until: '2026-01-01' }, 'query/until: must match format "date-time"'],
])('a request with %j breaks the contract in both shapes', (change, problem) => {
  const query = new URLSearchParams({ ...good, ...change });
  for (const check of [contract, reality]) expect(check.request(query)).toEqual([problem]);
});

test.each([
  [200, page({ action: 7 }), 'answer 200/trails/0/action: must be string'],
  [200, page({ user: { email: 'nobody' } }), 'answer 200/trails/0/user/email: must match format "email"'],
  [200, '{"trails":{}}', 'answer 200/trails: must be array'],
  [200, '{"trails":[', 'answer 200: not JSON'],
  [401, '{"error":"no"}', 'answer 401/error: must be object'],
])('an answer %i with the body %s breaks the contract in both shapes', (status, body, problem) => {
  for (const check of [contract, reality]) expect(check.response(status, body)).toEqual([problem]);
});

test('only the reality shape allows a numeric id', () => {
  expect(contract.response(200, page({ id: 1 }))).toContain('answer 200/trails/0/id: must be string');
  expect(reality.response(200, page({ id: 1 }))).toEqual([]);
});
