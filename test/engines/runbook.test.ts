/**
 * The way out of `docs/runbook.md`, rehearsed: each step is made needed once, and is done with the very lines of the runbook, by the
 * real AWS CLI. S3 is moto's, which creates an object over a delete marker, as AWS does. moto evaluates no bucket policy, so
 * `test/docs/runbook.test.ts` shows what the lines do that exempt an administrator. `test/deploy` types the lines that mend settings.
 */
import { gzipSync } from 'node:zlib';
import { DeleteTableCommand } from '@aws-sdk/client-dynamodb';
import { manifestKey, segmentKey } from '../../lambdas/shared/object-keys';
import { dateOf } from '../../lambdas/shared/time';
import { runbook } from '../support/runbook';
import { manifestAt } from '../support/stored';
import { atFirst } from '../support/tap';
import { dynamoDbClientOf } from './clients';
import { openRehearsal, type Rehearsal } from './rehearsal';
import { describeWith, stopServers } from './servers';

const [M2, M3, M4, M5] = [2, 3, 4, 5].map((seq) => manifestKey('main', seq)) as [string, string, string, string];

jest.setTimeout(120_000);

describeWith(['moto', 'dynamodb-local', 'awscli'], 'the runbook', () => {
  let rehearsal: Rehearsal;

  async function open(mode: 'COMPLIANCE' | 'GOVERNANCE'): Promise<Rehearsal> {
    rehearsal = await openRehearsal(mode);
    return rehearsal;
  }
  afterEach(() => rehearsal.close());
  afterAll(stopServers);

  test('an object planted under COMPLIANCE lock where the next segment must go cannot be deleted, and a marker over it is the way out', async () => {
    const { world, type, attacker, versionsOf, archives, stops, goesOn, verified, logged } = await open('COMPLIANCE');
    await archives(5);
    expect(await verified()).toEqual([]);
    const [event] = world.source.happen(3);
    const OBJECT = segmentKey('events', 'main', dateOf(new Date(event?.at ?? 0)), 2);
    await world.owner.plant(OBJECT, gzipSync('{"id":7,"timestamp":"2026-01-01T00:00:00.000Z"}\n'));
    await stops('object-unlisted');
    expect(await verified()).toEqual([`object-unlisted ${OBJECT}`]);
    const { Versions } = JSON.parse(type(runbook.versions, { OBJECT }));
    const deleting = attacker.destroyVersion(OBJECT, Versions[0].VersionId);
    await expect(deleting).rejects.toMatchObject({ $metadata: { httpStatusCode: 403 } });

    type(runbook.asBreakGlass + runbook.hide, { OBJECT });
    expect(await verified()).toEqual([]);
    expect(logged()).toContain(`"hidden":["${OBJECT}"]`);
    await goesOn(5);
    expect(logged()).toContain(`"several":["${OBJECT}"]`);
    expect(await versionsOf(OBJECT)).toEqual([expect.anything(), Versions[0].VersionId]);
  });

  test('step 1: markers over manifests and segments are removed, and a marker is put over what was planted', async () => {
    const { type, attacker, archives, stops, goesOn } = await open('COMPLIANCE');
    const [segment = ''] = await archives(3);
    await archives(3);
    await archives(3);
    for (const [OBJECT, code] of [
      [M3, 'checkpoint-ahead'],
      [M2, 'chain-broken'],
      [segment, 'segment-missing'],
    ] as const) {
      await attacker.hide(OBJECT);
      await stops(code);
      const { DeleteMarkers } = JSON.parse(type(runbook.versions, { OBJECT }));
      if (OBJECT !== segment)
        expect(JSON.parse(type(runbook.markers))).toEqual([[OBJECT, DeleteMarkers[0].VersionId, expect.anything()]]);
      type(runbook.unhide, { OBJECT, MARKER: DeleteMarkers[0].VersionId });
    }
    await goesOn();
    await attacker.put(M5);
    await stops('chain-broken');
    type(runbook.hide, { OBJECT: M5 });
    await goesOn();
  });

  test('step 2: a marker is put over a manifest that does not follow the one before', async () => {
    const { world, type, attacker, archives, stops, goesOn } = await open('COMPLIANCE');
    await archives(3);
    const segments = [...(await archives(3)), ...(await archives(3))];
    for (const key of [M2, M3, ...segments]) await attacker.hide(key);
    await world.owner.setItem('deleted');
    expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 6 } });
    const { DeleteMarkers } = JSON.parse(type(runbook.versions, { OBJECT: M3 }));
    type(runbook.unhide, { OBJECT: M3, MARKER: DeleteMarkers[0].VersionId });
    await stops('chain-broken');
    type(runbook.hide, { OBJECT: M3 });
    await goesOn();
  });

  test('step 3: a segment and a manifest that were overlaid are copied back', async () => {
    const { world, type, attacker, versionsOf, archives, stops, goesOn } = await open('COMPLIANCE');
    const [segment = ''] = await archives(3);
    await archives(3);
    await attacker.put(segment);
    await stops('segment-differs');
    const [, LISTED = ''] = await versionsOf(segment);
    type(runbook.fetch, { OBJECT: segment, LISTED });
    type(runbook.hide, { OBJECT: segment });
    await stops('segment-missing');
    type(runbook.create, { OBJECT: segment });
    await goesOn();

    await attacker.put(M2);
    await stops('chain-broken');
    const [, genuine = ''] = await versionsOf(M2);
    type(runbook.fetch.split('\n')[0] ?? '', { OBJECT: M2, LISTED: genuine });
    const { previous } = manifestAt(await world.owner.objects(), M3) ?? {};
    expect(type(runbook.payloadHash)).toBe(`${previous}  -\n`);
    type(runbook.hide, { OBJECT: M2 });
    await stops('chain-broken');
    type(runbook.create.replace('x-ndjson', 'json'), { OBJECT: M2 });
    await goesOn();
  });

  test('steps 2, 4 and 5: beyond a hole that cannot be closed the manifests, their segments and their anchors are given up', async () => {
    const { world, type, attacker, keysLike, archives, stops, goesOn, verified } = await open('GOVERNANCE');
    await archives(3);
    const given = [...(await archives(3)), ...(await archives(3)), ...(await archives(3))];
    expect(await verified()).toEqual([]);
    await attacker.destroy(M2);
    await stops('chain-broken');
    for (const OBJECT of [M3, M4]) type(runbook.hide, { OBJECT });
    await stops('checkpoint-ahead');
    const item = await world.owner.item();
    type(runbook.forget);
    await stops('object-unlisted');
    await world.owner.setItem(item ?? {});
    for (const OBJECT of given) type(runbook.hide, { OBJECT });
    await stops('checkpoint-ahead');
    type(runbook.forget);
    expect(await world.run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 9 } });

    const [batch] = await keysLike('^batches/.*/0000000004-');
    const ofAnchor = (code: string) => `${code} ${M4}`;
    const ofGivenUp = [ofAnchor('chain-truncated'), ofAnchor('manifest-missing')];
    expect((await verified()).sort()).toEqual([`chain-truncated ${batch}`, ...ofGivenUp]);
    await archives(2);
    expect((await verified()).sort()).toEqual(ofGivenUp);
    await archives(2);
    expect(await verified()).toEqual([ofAnchor('head-differs')]);
    const [anchor = ''] = await keysLike('^anchors/');
    type(runbook.hide, { OBJECT: anchor });
    await goesOn();
  });

  test('a segment of which no version is left is cut out of its staged batch', async () => {
    const { type, attacker, archives, stops, goesOn } = await open('GOVERNANCE');
    const [OBJECT = ''] = await archives(3);
    await archives(3);
    await attacker.destroy(OBJECT);
    await stops('segment-missing');
    type(runbook.cutOut, { OBJECT });
    type(runbook.create, { OBJECT });
    await goesOn();
  });

  test('a batch that is gone before it was published is given up, and its events are read again', async () => {
    const { world, type, attacker, keysLike, archives, stops, goesOn } = await open('GOVERNANCE');
    await archives(3);
    world.source.happen(3);
    const lambda = await world.lambda();
    const kill = () => {
      lambda.signal('SIGKILL');
      return 'reset' as const;
    };
    world.meddle({ before: atFirst('PUT events', kill) });
    expect(await world.run()).toMatchObject({ outcome: 'ended' });
    await world.leaseEnds();
    const [batch = ''] = await keysLike('^batches/.*/0000000002-');
    await attacker.destroy(batch);
    await stops('batch-unreadable');
    type(runbook.hide, { OBJECT: M2 });
    await goesOn(5);
  });

  test('a table that was deleted is made anew, and the chain goes on from S3', async () => {
    const { backend, type, archives, stops, goesOn } = await open('COMPLIANCE');
    await archives(3);
    const dynamodb = dynamoDbClientOf({ url: backend.urls.dynamodb, credentials: backend.credentials });
    await dynamodb.send(new DeleteTableCommand({ TableName: backend.table }));
    dynamodb.destroy();
    await stops('storage-refused');
    type(runbook.newTable);
    await goesOn();
  });
});
