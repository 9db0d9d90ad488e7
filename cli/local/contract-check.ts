/**
 * Holds requests and responses against the OpenAPI document beside this file. In the `contract` shape the document is
 * taken at its word; in the `reality` shape exactly the relaxations listed here are made, and no others.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import Ajv2020, { type ErrorObject } from 'ajv/dist/2020';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

export interface ContractCheck {
  /** What is wrong with the query of a `GET /audit/logs`; empty if nothing is. */
  request(query: URLSearchParams): readonly string[];
  /** What is wrong with an answer to one. A status that the document leaves out has to carry an error like its 401. */
  response(status: number, body: string): readonly string[];
}

interface Relaxation {
  /** JSON pointer of the schema in the document. */
  readonly at: string;
  /** What is good there besides what the document says. */
  readonly allow: object;
}

const GET_LOGS = '/paths/~1audit~1logs/get';
const EVENT = '/components/schemas/AuditEvent/properties';

/**
 * The live service, as the public record has it. What it leaves out (`user`, `meta`) or adds (`data.user`, a top-level
 * `nextCursor`) needs no relaxation: the document neither requires nor forbids any field.
 */
const SEEN_LIVE: readonly Relaxation[] = [
  { at: `${EVENT}/id`, allow: { type: 'integer' } },
  { at: `${EVENT}/ip`, allow: { type: 'null' } },
  { at: `${EVENT}/userAgent`, allow: { type: 'null' } },
  { at: `${EVENT}/data/properties/variables`, allow: { type: 'string' } },
  {
    at: `${GET_LOGS}/responses/200/content/application~1json/schema/properties/meta/properties/nextCursor`,
    allow: { type: ['number', 'null'] },
  },
  { at: `${errorOf('RateLimitError')}/properties/error`, allow: { type: 'object' } },
  { at: `${GET_LOGS}/parameters/0/schema`, allow: { type: 'string', format: 'date' } },
  { at: `${GET_LOGS}/parameters/1/schema`, allow: { type: 'string', format: 'date' } },
];

/** Never seen, and served by the realistic team nevertheless: its odd events. Inner places first. */
const ODD_EVENTS: readonly Relaxation[] = [
  { at: `${EVENT}/id`, allow: { type: 'null' } },
  { at: `${EVENT}/timestamp`, allow: {} },
  { at: `${EVENT}/data/properties/variables`, allow: { type: ['array', 'null'] } },
  { at: `${EVENT}/data`, allow: { type: 'null' } },
];

export function createContractCheck(shape: 'contract' | 'reality'): ContractCheck {
  const document = readDocument(shape === 'reality' ? [...SEEN_LIVE, ...ODD_EVENTS] : []);
  const ajv = new Ajv2020({ strict: false, coerceTypes: false, allErrors: true });
  addFormats(ajv);
  // The document is only a place that references lead into: it is no JSON schema itself.
  ajv.addSchema(document, 'contract', false, false);
  const compile = (pointer: string) => ajv.compile({ $ref: `contract#${encodeURI(pointer)}` });
  const checkQuery = ajv.compile(querySchema(document));
  const ok = compile(`${GET_LOGS}/responses/200/content/application~1json/schema`);
  const unlisted = compile(errorOf('UnauthorizedError'));
  const checks = new Map([
    [200, ok],
    [401, unlisted],
    [403, compile(errorOf('ForbiddenError'))],
    [429, compile(errorOf('RateLimitError'))],
    [500, compile(errorOf('InternalServerError'))],
  ]);

  return {
    request: (query) => {
      checkQuery(readQuery(query));
      return sentences('query', checkQuery.errors);
    },
    response: (status, body) => {
      const value = tryParse(body);
      if (value === undefined) return [`answer ${status}: not JSON`];
      const check = checks.get(status) ?? unlisted;
      check(value);
      return sentences(`answer ${status}`, check.errors);
    },
  };
}

function errorOf(response: string): string {
  return `/components/responses/${response}/content/application~1json/schema`;
}

function readDocument(relaxations: readonly Relaxation[]): object {
  const document: unknown = parse(readFileSync(join(import.meta.dirname, 'postman-audit-logs.openapi.yaml'), 'utf8'));
  for (const { at, allow } of relaxations) relax(document, at, allow);
  return document as object;
}

/** Throws where the document has no such place: a relaxation that relaxes nothing would be a lie. */
function relax(document: unknown, at: string, allow: object): void {
  const names = at
    .split('/')
    .slice(1)
    .map((name) => name.replaceAll('~1', '/'));
  const last = names.pop() ?? '';
  const parent = names.reduce(step, document);
  const schema = step(parent, last);
  (parent as Record<string, unknown>)[last] = { anyOf: [schema, allow] };
}

function step(value: unknown, name: string): unknown {
  const next = typeof value === 'object' && value !== null ? (value as Record<string, unknown>)[name] : undefined;
  if (next === undefined) throw new Error(`the contract has no ${name} there`);
  return next;
}

function querySchema(document: object): object {
  const parameters = ['paths', '/audit/logs', 'get', 'parameters'].reduce(step, document as unknown);
  const listed = parameters as readonly { readonly name: string; readonly schema: object }[];
  const properties = Object.fromEntries(listed.map(({ name, schema }) => [name, schema]));
  return { type: 'object', properties, additionalProperties: false };
}

/** Query values are text; the one integer among them is read as such, and stays text where it is none. */
function readQuery(query: URLSearchParams): Record<string, unknown> {
  const values: Record<string, unknown> = Object.fromEntries(query);
  const limit = query.get('limit');
  return limit !== null && /^-?\d+$/.test(limit) ? { ...values, limit: Number(limit) } : values;
}

/** Places and rules only, never values: they may hold anything. */
function sentences(subject: string, errors: readonly ErrorObject[] | null | undefined): readonly string[] {
  return (errors ?? []).map(({ instancePath, message }) => `${subject}${instancePath}: ${message}`);
}

function tryParse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
