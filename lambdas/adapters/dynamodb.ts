/**
 * The checkpoint table. It holds one item per team: `team` is the key, `seq` and `position` are the checkpoint, `leaseOwner`
 * and `leaseUntil` (epoch milliseconds) are the lease, `outcome` and `ended` tell how the last run ended. Every write is one
 * conditional UpdateItem that is idempotent, so the SDK's retry after a lost response succeeds too.
 */
import {
  type AttributeValue,
  ConditionalCheckFailedException,
  type DynamoDBClient,
  UpdateItemCommand,
  type UpdateItemCommandInput,
} from '@aws-sdk/client-dynamodb';
import type { Checkpoint, CheckpointStore, Hint, Lease, RunOutcome } from '../shared/ports';
import { awsFailure } from './aws-errors';

/** A wrong clock or a person wrote a lease that claims to last longer. Such a lease must not block the next run. */
const LONGEST_LEASE_MS = 300_000;
/** Frees the lease, and writes how the run ended. */
const END = 'outcome = :outcome, ended = :ended REMOVE leaseOwner, leaseUntil';
/** Lets the SDK's retry succeed after a lost first attempt that had already saved the checkpoint and released the lease. */
const RELEASED = ' OR attribute_not_exists(leaseOwner) AND seq = :seq AND #position = :position';

export function createCheckpointStore(client: DynamoDBClient, table: string): CheckpointStore {
  /** Returns the updated item, or `refused` where the condition does not hold. */
  async function update({ team, runId }: Lease, { ExpressionAttributeValues, ...expression }: Expression) {
    const input = {
      ...expression,
      TableName: table,
      Key: { team: { S: team } },
      ExpressionAttributeValues: { ':owner': { S: runId }, ...ExpressionAttributeValues },
      ReturnValues: 'ALL_NEW',
    } as const;
    try {
      const { Attributes = {} } = await client.send(new UpdateItemCommand(input));
      return Attributes;
    } catch (error) {
      if (error instanceof ConditionalCheckFailedException) return 'refused';
      throw awsFailure(error, `updating the checkpoint of ${team}`);
    }
  }

  async function acquire(lease: Lease): Promise<Hint | 'held'> {
    const item = await update(lease, {
      UpdateExpression: 'SET leaseOwner = :owner, leaseUntil = :until',
      ConditionExpression:
        'attribute_not_exists(leaseUntil) OR leaseOwner = :owner OR leaseUntil < :now OR leaseUntil > :nonsense ' +
        'OR NOT attribute_type(leaseUntil, :number)',
      ExpressionAttributeValues: {
        ':until': numeric(lease.until.getTime()),
        ':now': numeric(lease.now.getTime()),
        ':nonsense': numeric(lease.now.getTime() + LONGEST_LEASE_MS),
        ':number': { S: 'N' },
      },
    });
    return item === 'refused' ? 'held' : { seq: readSeq(item.seq) };
  }

  async function save(lease: Lease, checkpoint: Checkpoint): Promise<'saved' | 'refused'> {
    const known = checkpoint.previousSeq === undefined ? 'attribute_not_exists(seq)' : 'seq = :previous';
    const item = await update(lease, {
      UpdateExpression: checkpoint.release
        ? `SET seq = :seq, #position = :position, ${END}`
        : 'SET seq = :seq, #position = :position, leaseUntil = :until',
      ConditionExpression: `leaseOwner = :owner AND (${known} OR seq = :seq)${checkpoint.release ? RELEASED : ''}`,
      ExpressionAttributeNames: { '#position': 'position' },
      ExpressionAttributeValues: {
        ':seq': numeric(checkpoint.seq),
        ':position': { S: checkpoint.position.toISOString() },
        ...(checkpoint.previousSeq === undefined ? {} : { ':previous': numeric(checkpoint.previousSeq) }),
        ...(checkpoint.release ? endOf(lease, 'archived') : { ':until': numeric(lease.until.getTime()) }),
      },
    });
    return item === 'refused' ? 'refused' : 'saved';
  }

  async function release(lease: Lease, outcome: RunOutcome): Promise<void> {
    await update(lease, {
      UpdateExpression: `SET ${END}`,
      ConditionExpression: 'leaseOwner = :owner',
      ExpressionAttributeValues: endOf(lease, outcome),
    });
  }

  return { acquire, save, release };
}

type Expression = Pick<
  UpdateItemCommandInput,
  'UpdateExpression' | 'ConditionExpression' | 'ExpressionAttributeNames' | 'ExpressionAttributeValues'
>;

function endOf({ now }: Lease, outcome: RunOutcome): Record<string, AttributeValue> {
  return { ':outcome': { S: outcome }, ':ended': { S: now.toISOString() } };
}

function numeric(value: number): AttributeValue {
  return { N: String(value) };
}

/** Returns the raw attribute where it is not a number, so that the run can recognise it as garbage. */
function readSeq(attribute: AttributeValue | undefined): unknown {
  return attribute?.N === undefined ? attribute : Number(attribute.N);
}
