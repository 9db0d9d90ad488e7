/**
 * The bundled handler archives from any server that speaks the contract. The server here is written from the OpenAPI
 * document alone and shares no line with the project's source server.
 */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { listenOnLoopback } from '../../local/server';
import { openLocalBackend } from '../support/backend';
import { openWorld, PARAMETER } from '../support/scenario';
import { linesUnder } from '../support/stored';

const API_KEY = 'PMAK-of-another-server';

interface AuditEvent {
  readonly id: string;
  readonly action: string;
  readonly timestamp: string;
}

/** `GET /audit/logs`, word for word: parameters, defaults, `trails` and `meta`, and the 401. */
function contractServer(log: readonly AuditEvent[]) {
  return createServer((request: IncomingMessage, response: ServerResponse) => {
    const { pathname, searchParams: asked } = new URL(request.url ?? '', 'http://any');
    const answer = (status: number, body: object) =>
      response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
    if (pathname !== '/audit/logs') return answer(404, {});
    if (request.headers['x-api-key'] !== API_KEY) {
      return answer(401, { error: { name: 'AuthenticationError', message: 'Invalid API Key' } });
    }
    const since = Date.parse(asked.get('since') ?? '1970-01-01T00:00:00Z');
    const until = Date.parse(asked.get('until') ?? '9999-01-01T00:00:00Z');
    const sign = asked.get('orderBy') === 'asc' ? 1 : -1;
    const found = log.filter(({ timestamp }) => Date.parse(timestamp) >= since && Date.parse(timestamp) <= until);
    found.sort((a, b) => (Date.parse(a.timestamp) - Date.parse(b.timestamp)) * sign);
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

test('every event of a server that was written from the API document alone is archived once', async () => {
  const log = [...eventsOf(700, 100), ...eventsOf(20, 2)];
  const { url: baseUrl, close } = await listenOnLoopback(contractServer(log));
  const world = await openWorld({}, openLocalBackend);
  await world.owner.putKey(PARAMETER, API_KEY);
  world.configure({ baseUrl });
  try {
    expect(await world.run()).toMatchObject({ outcome: 'archived', counts: { events: 720 } });
    log.push(...eventsOf(5, 1), ...eventsOf(3, 0.2));
    expect(await world.run()).toMatchObject({ outcome: 'archived', counts: { events: 8, late: 8 } });
    expect(await world.run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
    const served = log.map((event) => JSON.stringify(event));
    expect(linesUnder(await world.owner.objects(), 'events/').sort()).toEqual(served.sort());
  } finally {
    await world.close();
    await close();
  }
}, 120_000);
