/**
 * Checks requests and answers against the OpenAPI document in `test/fixtures`. The `contract` shape allows exactly what
 * the document says. The `reality` shape also allows the relaxations that are listed here, and no others.
 */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020, { type ValidateFunction } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { parseDocument } from 'yaml';
import type { Shape } from './test-source';

export type ContractCheck = ReturnType<typeof createContractCheck>;

interface Contract {
  readonly paths: { readonly '/audit/logs': { readonly get: { readonly parameters: readonly Parameter[] } } };
}
interface Parameter {
  readonly name: string;
  readonly schema: object;
}
type Path = readonly (string | number)[];
/** The place of a schema in the document, and another schema that is also allowed there. */
type Relaxation = readonly [at: Path, allow: object];

const GET_LOGS = ['paths', '/audit/logs', 'get'];
const PAGE = [...GET_LOGS, 'responses', '200', 'content', 'application/json', 'schema'];
const EVENT = ['components', 'schemas', 'AuditEvent', 'properties'];
const ERROR = ['components', 'responses', 'UnauthorizedError', 'content', 'application/json', 'schema'];

/**
 * The answers of the live service, as public reports show them. The fields that it leaves out (`user`, `meta`) or adds
 * (`data.user`, a top-level `nextCursor`) need no relaxation, because the document neither requires nor forbids a field.
 */
const SEEN_LIVE: readonly Relaxation[] = [
  [[...EVENT, 'id'], { type: 'integer' }],
  [[...EVENT, 'ip'], { type: 'null' }],
  [[...EVENT, 'userAgent'], { type: 'null' }],
  [[...EVENT, 'data', 'properties', 'variables'], { type: 'string' }],
  [[...PAGE, 'properties', 'meta', 'properties', 'nextCursor'], { type: ['number', 'null'] }],
];

/** The odd events of the demo team, which no report shows. An inner place must come before the places around it. */
const ODD_EVENTS: readonly Relaxation[] = [
  [[...EVENT, 'id'], { type: 'null' }],
  [[...EVENT, 'timestamp'], {}],
  [[...EVENT, 'data', 'properties', 'variables'], { type: ['array', 'null'] }],
  [[...EVENT, 'data'], { type: 'null' }],
];

export function createContractCheck(shape: Shape) {
  const document = parseDocument(
    readFileSync(join(import.meta.dirname, '../fixtures/postman-audit-logs.openapi.yaml'), 'utf8'),
  );
  for (const [at, allow] of shape === 'reality' ? [...SEEN_LIVE, ...ODD_EVENTS] : []) {
    // A relaxation of a place that does not exist would have no effect and nobody would notice.
    if (!document.hasIn(at)) throw new Error(`the contract has no ${at.join('/')}`);
    document.setIn(at, document.createNode({ anyOf: [document.getIn(at), allow] }));
  }
  const contract = document.toJS() as Contract;
  const ajv = new Ajv2020({ strict: false, allErrors: true });
  addFormats(ajv);
  // The document is not a JSON schema itself; it is only added so that references can lead into it.
  ajv.addSchema(contract, 'contract', false, false);
  const compile = (path: Path) => ajv.compile({ $ref: `contract#/${path.map(pointerPart).join('/')}` });
  const checkQuery = ajv.compile(querySchema(contract.paths['/audit/logs'].get.parameters));
  const [checkPage, checkError] = [compile(PAGE), compile(ERROR)];
  return {
    /** Every problem of the query of a `GET /audit/logs`: the place and the broken rule, never a value. */
    request: (query: URLSearchParams) => problems('query', checkQuery, readQuery(query)),
    /** The same for an answer. Every error must be like that of the 401. */
    response: (status: number, body: string) => {
      const value = tryParse(body);
      if (value === undefined) return [`answer ${status}: not JSON`];
      return problems(`answer ${status}`, status === 200 ? checkPage : checkError, value);
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

/** Query values are texts. Only `limit` is read as an integer, and it stays a text where it is not one. */
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
