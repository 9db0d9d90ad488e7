/**
 * Holds requests and answers against the OpenAPI document beside this file. In the `contract` shape the document is
 * taken at its word; in the `reality` shape exactly the relaxations listed here are made, and no others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { parseDocument } from 'yaml';

export interface ContractCheck {
  /** What is wrong with the query of a `GET /audit/logs`; empty if nothing is. Places and rules, never values. */
  request(query: URLSearchParams): readonly string[];
  /** The same for an answer to one. A status that the document leaves out has to carry an error like its 401. */
  response(status: number, body: string): readonly string[];
}

interface Contract {
  readonly paths: { readonly '/audit/logs': { readonly get: { readonly parameters: readonly Parameter[] } } };
}
interface Parameter {
  readonly name: string;
  readonly schema: object;
}
type Path = readonly (string | number)[];
/** A schema's place in the document, and what is good there besides what it says. */
type Relaxation = readonly [at: Path, allow: object];

const GET_LOGS = ['paths', '/audit/logs', 'get'];
const PAGE = [...GET_LOGS, 'responses', '200', 'content', 'application/json', 'schema'];
const EVENT = ['components', 'schemas', 'AuditEvent', 'properties'];
const errorOf = (name: string): Path => ['components', 'responses', name, 'content', 'application/json', 'schema'];

/**
 * The live service, as the public record has it. What it leaves out (`user`, `meta`) or adds (`data.user`, a top-level
 * `nextCursor`) needs no relaxation: the document neither requires nor forbids any field.
 */
const SEEN_LIVE: readonly Relaxation[] = [
  [[...EVENT, 'id'], { type: 'integer' }],
  [[...EVENT, 'ip'], { type: 'null' }],
  [[...EVENT, 'userAgent'], { type: 'null' }],
  [[...EVENT, 'data', 'properties', 'variables'], { type: 'string' }],
  [[...PAGE, 'properties', 'meta', 'properties', 'nextCursor'], { type: ['number', 'null'] }],
  [[...errorOf('RateLimitError'), 'properties', 'error'], { type: 'object' }],
  [[...GET_LOGS, 'parameters', 0, 'schema'], { type: 'string', format: 'date' }],
  [[...GET_LOGS, 'parameters', 1, 'schema'], { type: 'string', format: 'date' }],
];

/** Never seen, and served by the demo team nevertheless: its odd events. Inner places first. */
const ODD_EVENTS: readonly Relaxation[] = [
  [[...EVENT, 'id'], { type: 'null' }],
  [[...EVENT, 'timestamp'], {}],
  [[...EVENT, 'data', 'properties', 'variables'], { type: ['array', 'null'] }],
  [[...EVENT, 'data'], { type: 'null' }],
];

export function createContractCheck(shape: 'contract' | 'reality'): ContractCheck {
  const document = parseDocument(readFileSync(join(import.meta.dirname, 'postman-audit-logs.openapi.yaml'), 'utf8'));
  for (const [at, allow] of shape === 'reality' ? [...SEEN_LIVE, ...ODD_EVENTS] : []) {
    // A relaxation that relaxes nothing would be a lie.
    if (!document.hasIn(at)) throw new Error(`the contract has no ${at.join('/')}`);
    document.setIn(at, document.createNode({ anyOf: [document.getIn(at), allow] }));
  }
  const contract = document.toJS() as Contract;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  // Only a place that references lead into: the document is no JSON schema itself.
  ajv.addSchema(contract, 'contract', false, false);
  const compile = (path: Path) => ajv.compile({ $ref: `contract#/${path.map(pointerPart).join('/')}` });
  const checkQuery = ajv.compile(querySchema(contract.paths['/audit/logs'].get.parameters));
  const unlisted = compile(errorOf('UnauthorizedError'));
  const checks = new Map([
    [200, compile(PAGE)],
    [403, compile(errorOf('ForbiddenError'))],
    [429, compile(errorOf('RateLimitError'))],
    [500, compile(errorOf('InternalServerError'))],
  ]);
  return {
    request: (query) => problems('query', checkQuery, readQuery(query)),
    response: (status, body) => {
      const value = tryParse(body);
      const subject = `answer ${status}`;
      return value === undefined ? [`${subject}: not JSON`] : problems(subject, checks.get(status) ?? unlisted, value);
    },
  };
}

function pointerPart(name: string | number): string {
  return encodeURIComponent(String(name).replaceAll('/', '~1'));
}

function querySchema(parameters: readonly Parameter[]): object {
  const properties = Object.fromEntries(parameters.map(({ name, schema }) => [name, schema]));
  return { type: 'object', properties, additionalProperties: false };
}

/** Query values are text; the one integer among them is read as such, and stays text where it is none. */
function readQuery(query: URLSearchParams): object {
  const limit = query.get('limit') ?? '';
  return { ...Object.fromEntries(query), ...(/^-?\d+$/.test(limit) ? { limit: Number(limit) } : {}) };
}

function problems(subject: string, check: ValidateFunction, value: unknown): readonly string[] {
  check(value);
  return (check.errors ?? []).map(({ instancePath, message }) => `${subject}${instancePath}: ${message}`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
