import { createContractCheck } from '../../../local/postman/contract-check';

const page = (event: object, more: object = {}) => JSON.stringify({ trails: [event], ...more });
const query = (parameters: Record<string, string>) => new URLSearchParams(parameters);
const good = {
  since: '2026-01-01T00:00:00Z',
  until: '2026-06-01T10:00:00.000Z',
  limit: '300',
  orderBy: 'asc',
  cursor: '1',
};

describe.each(['contract', 'reality'] as const)('in the %s shape', (shape) => {
  const check = createContractCheck(shape);

  test('a request with every documented parameter is good, and so is one with none', () => {
    expect(check.request(query(good))).toEqual([]);
    expect(check.request(query({}))).toEqual([]);
  });

  test.each([
    [{ limit: '301' }, 'query/limit: must be <= 300'],
    [{ limit: 'many' }, 'query/limit: must be integer'],
    [{ orderBy: 'up' }, 'query/orderBy: must be equal to one of the allowed values'],
    [{ order_by: 'asc' }, 'query: must NOT have additional properties'],
    [{ until: 'now' }, 'query/until: must match format "date-time"'],
  ])('a request with %j is not', (change, problem) => {
    expect(check.request(query({ ...good, ...change }))).toContain(problem);
  });

  test('an event with only documented fields and types is good', () => {
    const user = { id: 1, name: 'A', email: 'a@example.com', username: 'a' };
    const event = { id: '1', ip: '::1', userAgent: 'x', action: 'a', timestamp: good.since, message: '', user };
    const body = page(
      { ...event, data: { team: { id: 1, name: 'T' }, variables: {} } },
      { meta: { nextCursor: '1', total: 1 } },
    );
    expect(check.response(200, body)).toEqual([]);
  });

  test.each([
    [200, page({ action: 7 }), 'answer 200/trails/0/action: must be string'],
    [200, page({ user: { email: 'nobody' } }), 'answer 200/trails/0/user/email: must match format "email"'],
    [200, '{"trails":{}}', 'answer 200/trails: must be array'],
    [200, '{"trails":[', 'answer 200: not JSON'],
    [401, '{"error":"no"}', 'answer 401/error: must be object'],
    [500, '{"error":{"name":1}}', 'answer 500/error/name: must be string'],
    [404, '{"error":"no"}', 'answer 404/error: must be object'],
  ])('an answer %i %s is not', (status, body, problem) => {
    expect(check.response(status, body)).toEqual([problem]);
  });
});

describe('the relaxations', () => {
  const [contract, reality] = [createContractCheck('contract'), createContractCheck('reality')];

  test.each([
    ['numeric ids', 200, page({ id: 1 })],
    ['null ids', 200, page({ id: null })],
    ['a null ip', 200, page({ ip: null })],
    ['a null user agent', 200, page({ userAgent: null })],
    ['variables in a string', 200, page({ data: { variables: '{}' } })],
    ['a timestamp without zone', 200, page({ timestamp: '2026-01-01T00:00:00' })],
    ['no data', 200, page({ data: null })],
    ['a numeric cursor in meta', 200, page({}, { meta: { nextCursor: 1 } })],
    ['an error object in a 429', 429, '{"error":{"name":"rateLimited"}}'],
  ])('%s break the contract and are good in reality', (_, status, body) => {
    expect(contract.response(status, body)).not.toEqual([]);
    expect(reality.response(status, body)).toEqual([]);
  });

  test('dates without a time break the contract and are good in reality', () => {
    expect(contract.request(query({ since: '2026-01-01' }))).not.toEqual([]);
    expect(reality.request(query({ since: '2026-01-01' }))).toEqual([]);
  });
});
