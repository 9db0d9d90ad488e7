/**
 * Events that break a careless reader. Each occurs once in the demo team. They are written by hand, because no serialiser
 * would write them.
 */

/** Writes an event. `id` is the JSON token of the id. */
type Writer = (id: string, at: number) => string;

const TEAM = '"team":{"name":"Acme Payments","id":70000001}';
const ACTOR = '"actor":{"name":"Radia Iyer","username":"member-5","id":60000188,"active":true}';
const ACTION = '"action":"collection.created"';

/** An event for the quarantine has no usable id or no usable instant. */
function odd(name: string, fields: Writer, quarantine = false) {
  const raw: Writer = (id, at) => `{${fields(id, at)},"message":"odd: ${name}"}`;
  return { name, quarantine, raw };
}

function oddVariables(name: string, variables: string) {
  const data = `"data":{${ACTOR},${TEAM},"variables":${variables}}`;
  return odd(name, (id, at) => `"id":${id},${ACTION},${stamp(at)},${data}`);
}

const stamp = (at: number): string => `"timestamp":"${new Date(at).toISOString()}"`;
const iso = (at: number, changeMs = 0): string => new Date(at + changeMs).toISOString().slice(0, 19);
const nested = `${'{"deeper":'.repeat(100)}[]${'}'.repeat(100)}`;

export const ODD_EVENTS = [
  oddVariables('number tokens', '{"big":9007199254740993,"huge":1e400,"one":1.0,"zero":-0,"exp":1E+2}'),
  oddVariables('duplicate keys', '{"role":"user","role":"admin"}'),
  odd('duplicate top-level keys', (id, at) => `"id":${id},"action":"a","action":"b",${stamp(at)}`),
  odd('keys differing in case', (id, at) => `"ID":"x","id":${id},"Action":"a","action":"b",${stamp(at)}`),
  oddVariables('prototype keys', '{"__proto__":{"admin":true},"constructor":{"prototype":1}}'),
  oddVariables('lone surrogates', '{"high":"\\ud800","low":"\\udc00","pair":"\\ud83d\\ude00"}'),
  oddVariables('line separators', '{"raw":"a\u2028b\u2029c","escaped":"\\u2028"}'),
  oddVariables('escaped control characters', '{"nul":"a\\u0000b","lines":"a\\nb\\r\\nc","tab":"\\t","slash":"\\/"}'),
  oddVariables('integer-like keys', '{"10":1,"2":2,"-1":3,"":4}'),
  oddVariables('deep nesting', nested),
  oddVariables('hostile strings', '{"path":"../../etc/passwd","glob":"*/**","csv":"=1+1","sql":"\'; drop table"}'),
  oddVariables('brackets in strings', '{"text":"}],\\"trails\\":[{\\\\","nextCursor":"x"}'),
  odd('new fields', (id, at) => `"riskScore":0.10,"id":${id},"action":"agent.deployed",${stamp(at)}`),
  oddVariables('variables as a list', '[{"users":"[]"},null,[[]]]'),
  oddVariables('variables null', 'null'),
  odd('data null', (id, at) => `"id":${id},"action":"team.name_updated",${stamp(at)},"data":null`),
  odd('offset', (id, at) => `"id":${id},${ACTION},"timestamp":"${iso(at, 5.5 * 3_600_000)}+05:30"`),
  odd('no zone', (id, at) => `"id":${id},${ACTION},"timestamp":"${iso(at)}"`),
  odd('microseconds', (id, at) => `"id":${id},${ACTION},"timestamp":"${iso(at)}.123456Z"`),
  odd('no id', (_, at) => `"action":"user.sign_in",${stamp(at)}`, true),
  odd('null id', (_, at) => `"id":null,"action":"user.sign_in",${stamp(at)}`, true),
  odd('unparsable timestamp', (id) => `"id":${id},${ACTION},"timestamp":"last Tuesday"`, true),
  odd('second 60', (id, at) => `"id":${id},${ACTION},"timestamp":"${iso(at).slice(0, 17)}60.000Z"`, true),
  odd('1970', (id) => `"id":${id},${ACTION},"timestamp":"1970-01-01T00:00:00.000Z"`, true),
  odd('year 9999', (id) => `"id":${id},${ACTION},"timestamp":"9999-12-31T23:59:59.000Z"`, true),
  odd('no timestamp', (id) => `"id":${id},${ACTION}`, true),
];
