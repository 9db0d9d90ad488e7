/** The behaviour that the archiver needs of a checkpoint table: the same tests for the local and a foreign DynamoDB. */

import { DynamoDBClient, GetItemCommand, UpdateItemCommand } from '@aws-sdk/client-dynamodb';
import { createCheckpointStore } from '../../lambdas/adapters/dynamodb';
import type { CheckpointStore, Lease } from '../../lambdas/shared/ports';
import { type ContractServer, useServer } from './contract-server';

/** A server with an empty table whose key is `team`. */
export interface TableServer extends ContractServer {
  readonly table: string;
}

const now = new Date('2026-06-12T12:00:00.000Z');

/** The attributes that tell how the last run ended. */
const end = (outcome: string) => ({ outcome: { S: outcome }, ended: { S: now.toISOString() } });

function afterSeconds(seconds: number): Date {
  return new Date(now.getTime() + seconds * 1000);
}

const checkpoint = { previousSeq: undefined, seq: 1, position: now, release: false };

export function testCheckpointTable(start: () => Promise<TableServer>): void {
  let client: DynamoDBClient;
  let store: CheckpointStore;
  let TableName: string;
  const { breakAnswers } = useServer('dynamodb', start, (options, { table }) => {
    client = new DynamoDBClient({ ...options, maxAttempts: 4 });
    store = createCheckpointStore(client, table);
    TableName = table;
    return client;
  });

  let team = 0;
  /** A lease of a team that no other test uses. */
  const own = (runId: string, at = now): Lease => ({
    team: `team-${team}`,
    runId,
    now: at,
    until: new Date(at.getTime() + 55_000),
  });
  beforeEach(() => {
    team += 1;
  });

  const key = () => ({ team: { S: `team-${team}` } });
  const item = async () =>
    (await client.send(new GetItemCommand({ TableName, Key: key(), ConsistentRead: true }))).Item;

  async function write(expression: string, values: Record<string, { S: string } | { N: string } | { NULL: true }>) {
    const update = { UpdateExpression: expression, ExpressionAttributeValues: values };
    await client.send(new UpdateItemCommand({ TableName, Key: key(), ...update }));
  }

  test('one run holds the lease, and another waits for its end', async () => {
    expect(await store.acquire(own('a'))).toEqual({ seq: undefined });
    expect(await store.acquire(own('b'))).toBe('held');
    expect(await store.acquire(own('a', afterSeconds(20)))).toEqual({ seq: undefined });
    expect(await store.acquire(own('b', afterSeconds(74)))).toBe('held');
    expect(await store.acquire(own('b', afterSeconds(76)))).toEqual({ seq: undefined });
    expect(await store.acquire(own('a', afterSeconds(77)))).toBe('held');
  });

  test('one of ten runs at once gets the lease', async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, (_, run) => store.acquire(own(`run-${run}`))));
    expect(answers.filter((answer) => answer !== 'held')).toHaveLength(1);
  });

  test('a lease of hours or of nonsense, which no run can have written, keeps no run out', async () => {
    for (const until of [{ N: String(afterSeconds(4000).getTime()) }, { S: 'for ever' }, { NULL: true as const }]) {
      await write('SET leaseOwner = :owner, leaseUntil = :until', { ':owner': { S: 'other' }, ':until': until });
      expect(await store.acquire(own('a'))).not.toBe('held');
    }
  });

  test('the checkpoint is returned as it is stored, whatever it is', async () => {
    for (const [seq, told] of [
      [{ N: '7' }, 7],
      [{ N: '1.5' }, 1.5],
      [{ S: '7' }, { S: '7' }],
      [{ NULL: true as const }, { NULL: true }],
    ] as const) {
      await write('SET seq = :seq', { ':seq': seq });
      expect(await store.acquire(own('a'))).toEqual({ seq: told });
    }
  });

  test('the checkpoint moves while the lease is held, and the last move releases the lease', async () => {
    await store.acquire(own('a'));
    expect(await store.save(own('a', afterSeconds(30)), checkpoint)).toBe('saved');
    expect(await item()).toMatchObject({
      seq: { N: '1' },
      leaseOwner: { S: 'a' },
      leaseUntil: { N: String(afterSeconds(85).getTime()) },
    });
    expect(await store.save(own('a'), { ...checkpoint, previousSeq: 1, seq: 2, release: true })).toBe('saved');
    expect(await item()).toEqual({ ...key(), seq: { N: '2' }, position: { S: now.toISOString() }, ...end('archived') });
  });

  test('the checkpoint does not move for a run that lost its lease, or where somebody else moved it', async () => {
    await store.acquire(own('a'));
    await store.acquire(own('b', afterSeconds(60)));
    expect(await store.save(own('a', afterSeconds(61)), checkpoint)).toBe('refused');
    expect((await item())?.seq).toBeUndefined();
    await write('SET seq = :seq', { ':seq': { N: '5' } });
    expect(await store.save(own('b'), { ...checkpoint, previousSeq: 1, seq: 2 })).toBe('refused');
    expect(await store.save(own('b'), checkpoint)).toBe('refused');
    expect((await item())?.seq).toEqual({ N: '5' });
  });

  test('a run releases only its own lease, and then writes how it ended', async () => {
    await store.acquire(own('a'));
    await store.release(own('b'), 'race');
    expect(await store.acquire(own('c'))).toBe('held');
    await store.release(own('a'), 'race');
    await store.release(own('a'), 'race');
    expect(await item()).toEqual({ ...key(), ...end('race') });
    expect(await store.acquire(own('c'))).not.toBe('held');
  });

  test('a retry of the SDK after a lost response finds what it wrote itself, and is no conflict', async () => {
    breakAnswers(1);
    expect(await store.acquire(own('a'))).not.toBe('held');
    breakAnswers(1);
    expect(await store.save(own('a'), checkpoint)).toBe('saved');
    breakAnswers(2);
    expect(await store.save(own('a'), { ...checkpoint, previousSeq: 1, seq: 2, release: true })).toBe('saved');
    expect(await item()).toEqual({ ...key(), seq: { N: '2' }, position: { S: now.toISOString() }, ...end('archived') });
  });

  test('a checkpoint that was released and then moved by another run stays as it is', async () => {
    await store.acquire(own('a'));
    await store.save(own('a'), { ...checkpoint, release: true });
    await store.acquire(own('b'));
    const again = { ...checkpoint, release: true };
    expect(await store.save(own('a'), again)).toBe('refused');
    await store.save(own('b'), { ...checkpoint, previousSeq: 1, seq: 2, release: true });
    expect(await store.save(own('a'), again)).toBe('refused');
    expect((await item())?.seq).toEqual({ N: '2' });
  });

  test('a missing table is an error for the operator, and lost answers are an error that may pass', async () => {
    const missing = createCheckpointStore(client, 'no-such-table');
    const calls = ({ acquire, save, release }: CheckpointStore) => [
      () => acquire(own('a')),
      () => save(own('a'), checkpoint),
      () => release(own('a'), 'race'),
    ];
    for (const call of calls(missing)) await expect(call()).rejects.toMatchObject({ code: 'storage-refused' });
    breakAnswers(Number.POSITIVE_INFINITY);
    for (const call of calls(store)) await expect(call()).rejects.toMatchObject({ code: 'storage-unavailable' });
  });
}
