/**
 * Stands between the AWS SDK and the server of one service. It passes every request on and records it as IAM would see
 * it: the action, the resource and the condition keys. An unknown request becomes an action that no policy allows.
 */
import { type AwsRequest, type AwsResponse, type LocalServer, startAwsServer } from '../../local/server';
import { ACCOUNT, REGION } from './deployed';
import type { Call, Context } from './policy';

export type RecordedCall = Omit<Call, 'principal'>;

type Naming = (request: AwsRequest) => RecordedCall;

/** Adds each request to `calls`. */
export function record(
  service: keyof typeof namings,
  behind: LocalServer,
  calls: RecordedCall[],
): Promise<LocalServer> {
  return startAwsServer((request) => {
    const call = namings[service](request);
    calls.push({ ...call, context: { ...overTls, ...call.context } });
    return passOn(behind.url, request);
  });
}

/** AWS is called over TLS, where these tests use plain HTTP on loopback. */
const overTls: Context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };

async function passOn(url: string, { method, target, headers, body }: AwsRequest): Promise<AwsResponse> {
  const { host: _host, connection: _connection, 'content-length': _length, ...kept } = headers;
  const sent = await fetch(`${url}${target}`, {
    method,
    headers: Object.entries(kept).map(([name, value]): [string, string] => [name, String(value)]),
    ...(body.length > 0 && { body }),
  });
  const { 'content-length': _sentLength, ...answered } = Object.fromEntries(sent.headers);
  return { status: sent.status, headers: answered, body: Buffer.from(await sent.arrayBuffer()) };
}

const namings = {
  s3: nameS3,
  dynamodb: jsonNaming('dynamodb', ({ TableName }) => arn('dynamodb', `table/${TableName}`)),
  ssm: jsonNaming('ssm', ({ Name }) => arn('ssm', `parameter${Name}`)),
  kms: jsonNaming('kms', ({ KeyId }) => String(KeyId)),
} satisfies Record<string, Naming>;

function nameS3({ method, target, headers }: AwsRequest): RecordedCall {
  const { pathname, searchParams } = new URL(target, 'http://s3');
  const [, bucket = '', key = ''] = /^\/([^/]+)\/?(.*)$/.exec(decodeURIComponent(pathname)) ?? [];
  const resource = `arn:aws:s3:::${bucket}${key === '' ? '' : `/${key}`}`;
  const asked = [method, key === '' ? 'bucket' : 'object', ...searchParams.keys()].filter((each) => each !== 'x-id');
  const prefix = searchParams.get('prefix');
  if (asked[1] === 'bucket' && method === 'GET' && searchParams.has('list-type')) {
    return { action: 's3:ListBucket', resource, context: prefix === null ? {} : { 's3:prefix': prefix } };
  }
  if (asked.join(' ') === 'GET object') return { action: 's3:GetObject', resource };
  if (asked.join(' ') !== 'PUT object' || 'x-amz-copy-source' in headers) {
    return { action: `unknown:${asked.join(' ')}`, resource };
  }
  const condition = headers['if-none-match'];
  return {
    action: 's3:PutObject',
    resource,
    context: {
      's3:ObjectCreationOperation': 'true',
      ...(condition !== undefined && { 's3:if-none-match': condition }),
      ...lockHeaders(headers),
    },
  };
}

/** Headers that need additional rights, so that a call with one of them is more than a PutObject. */
function lockHeaders(headers: AwsRequest['headers']): Context {
  const wider = Object.keys(headers).filter((name) => /^x-amz-(object-lock|acl|grant|tagging)/.test(name));
  return Object.fromEntries(wider.map((name) => [`header:${name}`, String(headers[name])]));
}

type Input = Readonly<Record<string, unknown>>;

function jsonNaming(service: string, resourceOf: (input: Input) => string): Naming {
  return ({ headers, body }) => {
    const operation = String(headers['x-amz-target']).replace(/^.*\./, '');
    const input = JSON.parse(body.toString()) as Input;
    const algorithm = input.SigningAlgorithm;
    return {
      action: `${service}:${operation}`,
      resource: resourceOf(input),
      ...(algorithm !== undefined && { context: { 'kms:SigningAlgorithm': String(algorithm) } }),
    };
  };
}

function arn(service: string, resource: string): string {
  return `arn:aws:${service}:${REGION}:${ACCOUNT}:${resource}`;
}
