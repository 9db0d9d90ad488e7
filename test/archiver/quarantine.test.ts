import { type Held, heldIdentity } from '../../lambdas/archiver/batch';
import { dropQuarantined } from '../../lambdas/archiver/quarantine';
import { type QuarantineReason, readEvent } from '../../lambdas/shared/event';
import { segmentKey } from '../../lambdas/shared/keys';
import { compress, joinLines } from '../../lambdas/shared/ndjson';
import { memoryStore } from '../support/memory-store';

function held(line: string, reason: QuarantineReason): Held {
  return { event: readEvent(Buffer.from(line)), reason };
}

function heldMap(...lines: readonly Held[]): Map<string, Held> {
  return new Map(lines.map((line) => [heldIdentity(line.event), line]));
}

function quarantine(days: Readonly<Record<string, readonly string[]>>, team = 'main'): Map<string, Buffer> {
  return new Map(
    Object.entries(days).map(([date, lines], index) => [
      segmentKey('quarantine', team, date, index + 1),
      compress(joinLines(lines.map((line) => Buffer.from(line)))),
    ]),
  );
}

const undated = '{"id":7,"timestamp":"soon"}';
const noId = '{"timestamp":"2026-06-12T10:00:00Z"}';
const revision = '{"id":1,"timestamp":"2026-06-12T10:00:00Z","edited":1}';

test('nothing held asks for nothing', async () => {
  const store = memoryStore({ objects: quarantine({ '2026-06-12': [undated] }) });
  expect(await dropQuarantined(new Map(), 'main', store)).toEqual([]);
  expect(store.calls).toEqual([]);
});

test('what is quarantined already is dropped, the rest stays', async () => {
  const store = memoryStore({ objects: quarantine({ '2026-01-01': [undated], '2026-06-12': [revision] }) });
  const other = held('{"id":8,"timestamp":"soon"}', 'bad-timestamp');
  const lines = heldMap(held(undated, 'bad-timestamp'), held(revision, 'revision'), other);
  const dropped = await dropQuarantined(lines, 'main', store);
  expect(dropped.map(({ reason }) => reason).toSorted()).toEqual(['bad-timestamp', 'revision']);
  expect([...lines.values()]).toEqual([other]);
});

test('an id is quarantined once, whatever its bodies', async () => {
  const store = memoryStore({ objects: quarantine({ '2026-06-12': [revision] }) });
  const lines = heldMap(held(revision.replace('"edited":1', '"edited":2'), 'revision'));
  await dropQuarantined(lines, 'main', store);
  expect(lines.size).toBe(0);
});

test('without an id, it is the content that counts', async () => {
  const store = memoryStore({ objects: quarantine({ '2026-06-12': [noId] }) });
  const lines = heldMap(held(noId, 'no-id'), held(noId.replace('10:00', '10:01'), 'no-id'));
  await dropQuarantined(lines, 'main', store);
  expect([...lines.values()].map(({ event }) => String(event.line))).toEqual([noId.replace('10:00', '10:01')]);
});

test("another team's quarantine is not looked at", async () => {
  const store = memoryStore({ objects: quarantine({ '2026-06-12': [undated] }, 'main-2') });
  const lines = heldMap(held(undated, 'bad-timestamp'));
  await dropQuarantined(lines, 'main', store);
  expect(lines.size).toBe(1);
});

test("revisions are looked for from the day before the oldest event's date", async () => {
  const days = { '2026-01-01': [undated], '2026-06-10': [undated], '2026-06-11': [revision], '2026-06-12': [undated] };
  const store = memoryStore({ objects: quarantine(days) });
  await dropQuarantined(heldMap(held(revision, 'revision')), 'main', store);
  expect(store.calls.slice(1)).toEqual(['get quarantine/team=main/dt=2026-06-11/0000000003.ndjson.gz']);
});

test('anything else is looked for from the beginning, and no longer than needed', async () => {
  const days = { '2026-01-01': [noId], '2026-06-10': [undated], '2026-06-11': [revision] };
  const store = memoryStore({ objects: quarantine(days) });
  await dropQuarantined(heldMap(held(undated, 'bad-timestamp'), held(noId, 'no-id')), 'main', store);
  expect(store.calls.filter((call) => call.startsWith('get'))).toHaveLength(2);
});

test('an object that is no segment stops the run', async () => {
  const objects = new Map([[segmentKey('quarantine', 'main', '2026-06-12', 1), Buffer.from('not gzip')]]);
  const dropping = dropQuarantined(heldMap(held(undated, 'bad-timestamp')), 'main', memoryStore({ objects }));
  await expect(dropping).rejects.toMatchObject({ code: 'segment-differs' });
});
