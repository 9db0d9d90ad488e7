import { createSourceModel } from '../../local/postman/source-model';
import { sourceSettings } from '../../local/postman/source-settings';
import { createTable } from '../../local/postman/source-table';
import { type ContractCheck, checkedModel, createContractCheck } from './contract-check';

const contract = createContractCheck('contract');
const reality = createContractCheck('reality');
const page = (event: object, more: object = {}) => JSON.stringify({ trails: [event], ...more });
const times = { since: '2026-01-01T00:00:00Z', until: '2026-06-01T10:00:00.000Z' };
const good = { ...times, limit: '300', orderBy: 'asc', cursor: '1' };

/** The problems that the check of each shape finds. */
function problemsOf(ask: (check: ContractCheck) => readonly string[]): readonly string[] {
  return [contract, reality].flatMap(ask);
}

test('a request with every documented parameter keeps the contract, and so does a request without any', () => {
  for (const query of [good, {}]) expect(problemsOf((check) => check.request(new URLSearchParams(query)))).toEqual([]);
});

test.each([
  [{ limit: '301' }, 'query/limit: must be <= 300'],
  [{ limit: 'many' }, 'query/limit: must be integer'],
  [{ orderBy: 'up' }, 'query/orderBy: must be equal to one of the allowed values'],
  [{ order_by: 'asc' }, 'query: must NOT have additional properties'],
  [{ until: 'now' }, 'query/until: must match format "date-time"'],
])('a request with %j breaks the contract in both shapes', (change, problem) => {
  const query = new URLSearchParams({ ...good, ...change });
  for (const check of [contract, reality]) expect(check.request(query)).toContain(problem);
});

test('an event with every documented field keeps the contract', () => {
  const user = { id: 1, name: 'A', email: 'a@example.com', username: 'a' };
  const data = { team: { id: 1, name: 'T' }, variables: {} };
  const event = { id: '1', ip: '::1', userAgent: 'x', action: 'a', timestamp: good.since, message: '', user, data };
  const body = page(event, { meta: { nextCursor: '1', total: 1 } });
  expect(problemsOf((check) => check.response(200, body))).toEqual([]);
});

test.each([
  [200, page({ action: 7 }), 'answer 200/trails/0/action: must be string'],
  [200, page({ user: { email: 'nobody' } }), 'answer 200/trails/0/user/email: must match format "email"'],
  [200, '{"trails":{}}', 'answer 200/trails: must be array'],
  [200, '{"trails":[', 'answer 200: not JSON'],
  [401, '{"error":"no"}', 'answer 401/error: must be object'],
  [500, '{"error":{"name":1}}', 'answer 500/error/name: must be string'],
  [404, '{"error":"no"}', 'answer 404/error: must be object'],
])('an answer %i with the body %s breaks the contract in both shapes', (status, body, problem) => {
  expect(problemsOf((check) => check.response(status, body))).toEqual([problem, problem]);
});

test.each([
  ['a numeric id', 200, page({ id: 1 })],
  ['a null id', 200, page({ id: null })],
  ['a null ip', 200, page({ ip: null })],
  ['a null user agent', 200, page({ userAgent: null })],
  ['variables in a string', 200, page({ data: { variables: '{}' } })],
  ['a timestamp without a time zone', 200, page({ timestamp: '2026-01-01T00:00:00' })],
  ['an event without data', 200, page({ data: null })],
  ['a numeric cursor in meta', 200, page({}, { meta: { nextCursor: 1 } })],
  ['an error object in a 429', 429, '{"error":{"name":"rateLimited"}}'],
])('%s breaks the contract and is allowed in the reality shape', (_, status, body) => {
  expect(contract.response(status, body)).not.toEqual([]);
  expect(reality.response(status, body)).toEqual([]);
});

test('a date without a time breaks the contract and is allowed in the reality shape', () => {
  const query = new URLSearchParams({ since: '2026-01-01' });
  expect(contract.request(query)).not.toEqual([]);
  expect(reality.request(query)).toEqual([]);
});

test('a checked model names each request and answer that broke the contract, but forgives an injected fault', () => {
  const fault = (request: number) => (request === 1 ? ({ status: 500, body: '<html>' } as const) : undefined);
  const events = [1, 2].map((row) => ({ row, at: null, raw: `{"id":"${row}"}` }));
  const settings = sourceSettings('contract', 'PMAK', { fault, cursorType: 'number' });
  const model = checkedModel(createSourceModel(createTable(events), settings), contract);
  const ask = (query: Record<string, string>) =>
    model.answer(
      { path: '/audit/logs', query: new URLSearchParams(query), headers: { 'x-api-key': 'PMAK' } },
      new Date(),
    );
  ask({});
  expect(model.violations()).toEqual([]);
  ask({ since: 'yesterday' });
  ask({ limit: '1' });
  expect(model.violations()).toEqual([
    'query/since: must match format "date-time"',
    'answer 200/meta/nextCursor: must be string',
  ]);
});
