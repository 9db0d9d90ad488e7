/**
 * Names a request of the AWS SDK as IAM would see it: the action, the resource, the condition keys. A request that it
 * cannot name becomes an action that nobody may do.
 */
import type { LocalRequest } from '../../local/server';
import { ACCOUNT, REGION } from './deployed';
import type { Call, Context } from './policy';
import type { Service } from './tap';

export type IamCall = Omit<Call, 'principal'>;

type Naming = (request: LocalRequest) => IamCall;

export function iamCallOf(service: Exclude<Service, 'source'>, request: LocalRequest): IamCall {
  const call = namings[service](request);
  return { ...call, context: { ...overTls, ...call.context } };
}

/** The real endpoints are https, while the local servers are not. */
const overTls: Context = { 'aws:SecureTransport': 'true', 's3:TlsVersion': '1.3' };

const namings = {
  s3: nameS3,
  dynamodb: jsonNaming('dynamodb', ({ TableName }) => arn('dynamodb', `table/${TableName}`)),
  ssm: jsonNaming('ssm', ({ Name }) => arn('ssm', `parameter${Name}`)),
  kms: jsonNaming('kms', ({ KeyId }) => String(KeyId)),
} satisfies Record<string, Naming>;

function nameS3({ method, target, headers }: LocalRequest): IamCall {
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

/** Headers that need rights of their own, so that the call is more than a PutObject. */
function lockHeaders(headers: LocalRequest['headers']): Context {
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
