/** The model of the checkpoint item gives the same answers and the same item as the real adapter with a DynamoDB. */

import { DeleteItemCommand, DynamoDBClient, GetItemCommand, PutItemCommand } from '@aws-sdk/client-dynamodb';
import fc from 'fast-check';
import { createCheckpointStore } from '../../lambdas/adapters/dynamodb';
import type { CheckpointStore, Lease } from '../../lambdas/shared/ports';
import { startDynamoDb } from '../../local/dynamodb';
import { type Attribute, checkpointModel, type Item, type ItemCell } from './checkpoint-model';

const TABLE = 'checkpoints';
const NOW = Date.UTC(2026, 2, 10, 12);

type Step = typeof step extends fc.Arbitrary<infer T> ? T : never;

const lease: fc.Arbitrary<Lease> = fc
  .record({ runId: fc.constantFrom('a', 'b'), at: fc.constantFrom(0, 30_000, 55_000, 55_001, 4_000_000) })
  .map(({ runId, at }) => ({ team: 'main', runId, now: new Date(NOW + at), until: new Date(NOW + at + 55_000) }));

const attribute: fc.Arbitrary<Attribute> = fc.oneof(
  fc
    .constantFrom('0', '1', '2', '1.5', '-3', '1000000000000000000000000000000', String(NOW), String(NOW + 55_000))
    .map((N) => ({ N })),
  fc.constantFrom('a', 'b', '', '1').map((S) => ({ S })),
  fc.boolean().map((BOOL) => ({ BOOL })),
);

const item: fc.Arbitrary<Item> = fc
  .record({ seq: attribute, position: attribute, leaseOwner: attribute, leaseUntil: attribute }, { requiredKeys: [] })
  .map((fields) => fields as Item);

const does = <const T extends string>(verb: T) => fc.constant(verb);
const save = { does: does('save'), lease, previousSeq: fc.constantFrom(undefined, 1, 2), release: fc.boolean() };
const step = fc.oneof(
  { weight: 3, arbitrary: fc.record({ does: does('acquire'), lease }) },
  { weight: 1, arbitrary: fc.record({ does: does('release'), lease }) },
  { weight: 4, arbitrary: fc.record(save) },
  { weight: 1, arbitrary: fc.record({ does: does('set'), item: fc.option(item, { nil: undefined }) }) },
);

test('the model of the checkpoint item and DynamoDB agree after any sequence of steps', async () => {
  const server = await startDynamoDb(TABLE);
  const credentials = { accessKeyId: 'local', secretAccessKey: 'local' };
  const client = new DynamoDBClient({ region: 'us-east-1', endpoint: server.url, credentials });
  const table = createCheckpointStore(client, TABLE);
  const property = fc.asyncProperty(fc.array(step, { minLength: 3, maxLength: 12 }), async (steps) => {
    const cell: ItemCell = { item: undefined };
    await set(client, undefined);
    for (const one of steps) {
      if (one.does === 'set') {
        cell.item = one.item;
        await set(client, one.item);
      } else expect(await perform(table, one)).toEqual(withoutPosition(perform(checkpointModel(cell), one)));
      expect(await get(client)).toEqual(cell.item ?? {});
    }
  });
  try {
    await fc.assert(property, { seed: 1, numRuns: 150 });
  } finally {
    client.destroy();
    await server.close();
  }
});

function perform(store: CheckpointStore | ReturnType<typeof checkpointModel>, one: Exclude<Step, { does: 'set' }>) {
  if (one.does === 'acquire') return store.acquire(one.lease);
  if (one.does === 'release') return store.release(one.lease, 'race');
  const checkpoint = { seq: 2, position: one.lease.now, previousSeq: one.previousSeq, release: one.release };
  return store.save(one.lease, checkpoint);
}

/** The model also returns the position, which the adapter does not. */
function withoutPosition(answer: unknown): unknown {
  return typeof answer === 'object' && answer !== null && 'seq' in answer ? { seq: answer.seq } : answer;
}

async function set(client: DynamoDBClient, fields: Item | undefined): Promise<void> {
  const team = { S: 'main' };
  if (fields === undefined) await client.send(new DeleteItemCommand({ TableName: TABLE, Key: { team } }));
  else await client.send(new PutItemCommand({ TableName: TABLE, Item: { team, ...fields } as never }));
}

async function get(client: DynamoDBClient): Promise<Record<string, unknown>> {
  const { Item = {} } = await client.send(new GetItemCommand({ TableName: TABLE, Key: { team: { S: 'main' } } }));
  const { team, ...fields } = Item;
  return fields;
}
