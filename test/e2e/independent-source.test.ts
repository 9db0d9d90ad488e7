/**
 * The bundled handler archives from any server that speaks the contract. This one is written from the OpenAPI document
 * alone and shares no line with our source server; and all that the handler is told is what stands here: its
 * environment, where AWS is, and its input.
 */
import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { openLocalBackend, ownerOf } from '../support/backend';
import { scratch, startLambda } from '../support/lambda';
import { expectVerified, linesUnder } from '../support/stored-lines';

const API_KEY = 'PMAK-of-another-server';

interface AuditEvent {
  readonly id: string;
  readonly action: string;
  readonly timestamp: string;
  readonly user?: object;
  readonly data?: object;
}

/** `GET /audit/logs`, word for word: parameters, defaults, `trails` and `meta`, and the 401. */
function contractServer(log: readonly AuditEvent[], apiKey: string): Server {
  return createServer((request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams: asked } = new URL(request.url ?? '', 'http://any');
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname !== '/audit/logs') return answer(404, {});
    if (request.headers['x-api-key'] !== apiKey) {
      return answer(401, { error: { name: 'AuthenticationError', message: 'Invalid API Key' } });
    }
    const since = Date.parse(asked.get('since') ?? '1970-01-01T00:00:00Z');
    const until = Date.parse(asked.get('until') ?? '9999-01-01T00:00:00Z');
    const isAscending = asked.get('orderBy') === 'asc';
    const found = log.filter(({ timestamp }) => Date.parse(timestamp) >= since && Date.parse(timestamp) <= until);
    found.sort((a, b) => (Date.parse(a.timestamp) - Date.parse(b.timestamp)) * (isAscending ? 1 : -1));
    const limit = Math.min(Number(asked.get('limit') ?? 50), 300);
    const from = Number(Buffer.from(asked.get('cursor') ?? '', 'base64url').toString() || 0);
    const nextCursor = Buffer.from(String(from + limit)).toString('base64url');
    const meta = { total: found.length, ...(from + limit < found.length && { nextCursor }) };
    return answer(200, { trails: found.slice(from, from + limit), meta });
  });
}

function eventsOf(count: number, hoursAgo: number): AuditEvent[] {
  return Array.from({ length: count }, (_, nth) => ({
    id: `${hoursAgo}-${nth}`,
    action: 'collection.created',
    timestamp: new Date(Date.now() - hoursAgo * 3_600_000 + nth * 1000).toISOString(),
    user: { id: 7, name: 'Ada Turner', email: 'ada@example.com', username: 'ada' },
    data: { team: { id: 9, name: 'Acme' }, actor: { id: 7 }, variables: { nth } },
  }));
}

test('it is archived whole, first and from then on', async () => {
  const log = [...eventsOf(700, 100), ...eventsOf(20, 2)];
  const server = contractServer(log, API_KEY);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const backend = await openLocalBackend();
  const owner = ownerOf(backend, 'main');
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  writeFileSync(join(scratch, 'key.pem'), privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await owner.putKey('/any/name', API_KEY);
  const lambda = await startLambda({
    environment: {
      ARCHIVE_BUCKET: backend.bucket,
      CHECKPOINT_TABLE: backend.table,
      SIGNING_KEY: `file:${join(scratch, 'key.pem')}`,
      LOOKBACK_HOURS: '6',
      MAX_REQUESTS_PER_MINUTE: '6000',
      RETENTION: 'null',
      AWS_REGION: 'us-east-1',
      AWS_ACCESS_KEY_ID: backend.credentials.accessKeyId,
      AWS_SECRET_ACCESS_KEY: backend.credentials.secretAccessKey,
      AWS_ENDPOINT_URL_S3: backend.urls.s3,
      AWS_ENDPOINT_URL_DYNAMODB: backend.urls.dynamodb,
      AWS_ENDPOINT_URL_SSM: backend.urls.ssm,
      // Nothing of this machine's own settings.
      AWS_CONFIG_FILE: devNull,
      AWS_SHARED_CREDENTIALS_FILE: devNull,
    },
    input: {
      team: 'main',
      apiKeyParameter: '/any/name',
      baseUrl: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    },
    onLine: () => undefined,
  });
  try {
    expect(await lambda.run()).toMatchObject({ outcome: 'archived', counts: { events: 720 } });
    log.push(...eventsOf(5, 1), ...eventsOf(3, 5));
    expect(await lambda.run()).toMatchObject({ outcome: 'archived', counts: { events: 8, late: 8 } });
    expect(await lambda.run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
    const objects = await owner.objects();
    const served = log.map((event) => JSON.stringify(event));
    expect(linesUnder(objects, 'events/').sort()).toEqual(served.sort());
    await expectVerified(objects, publicKey);
  } finally {
    await lambda.close();
    owner.close();
    server.closeAllConnections();
    server.close();
    await backend.close();
  }
}, 120_000);
