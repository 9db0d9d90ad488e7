/**
 * An archive that the bundled handler wrote into versitygw, asked by Trino through the tables of the synthesised
 * template. Every request that Trino makes of S3 is known.
 */
import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Template } from 'aws-cdk-lib/assertions';
import { startDynamoDb } from '../../local/dynamodb';
import { startSsmServer } from '../../local/ssm-server';
import { type AskedArchive, openAskedArchive } from '../support/asked/archive';
import type { Asking } from '../support/asked/suite';
import type { Backend } from '../support/backend';
import { synthesise } from '../support/synthesised';
import { createLockedBucket, s3ClientOf } from './clients';
import { createCatalog } from './glue';
import { type LoggedRequest, startMoto, startVersitygw } from './servers';
import { startTrino } from './trino';

export interface SqlArchive extends Asking {
  readonly archive: AskedArchive;
  /** Of `askDecade`'s tables. */
  readonly decade: { readonly from: string; readonly to: string };
  /** The same objects, by tables whose partitions are worked out for ten years. */
  askDecade: Asking['ask'];
  /** What Trino asked of S3 meanwhile. */
  requestsOf(work: () => Promise<unknown>): Promise<readonly LoggedRequest[]>;
  /** With one object more in the bucket. */
  withObject<T>(key: string, bytes: Buffer, work: () => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

/** The last one has no events. */
const TEAMS = { teams: [{ name: 'main' }, { name: 'eu' }], formerTeams: ['idle'] };

export async function openSqlArchive(): Promise<SqlArchive> {
  const [s3, moto] = await Promise.all([startVersitygw(), startMoto()]);
  const { database, bucket: Bucket } = await createCatalog(moto, synthesise(TEAMS).template);
  const decade = decadeBefore(new Date());
  const longer = await createCatalog(moto, withDates(synthesise({ ...TEAMS, stage: 'decade' }).template, decade));
  const client = s3ClientOf(s3);
  await createLockedBucket(client, Bucket);
  const trino = await startTrino(s3, moto);
  const archive = await openAskedArchive(() => openBackend(s3, Bucket));

  async function ask(statement: string, schema = database): ReturnType<Asking['ask']> {
    const { columns, rows } = await trino.query(statement, schema);
    return {
      columns: columns.map(({ name }) => name),
      rows: rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
    };
  }

  return {
    archive,
    decade,
    ask: (statement) => ask(statement),
    askDecade: (statement) => ask(statement, longer.database),
    async requestsOf(work) {
      const before = s3.requests().length;
      await work();
      return s3.requests().slice(before);
    },
    async withObject(Key, Body, work) {
      await client.send(new PutObjectCommand({ Bucket, Key, Body, ChecksumAlgorithm: 'SHA256' }));
      try {
        return await work();
      } finally {
        await client.send(new DeleteObjectCommand({ Bucket, Key }));
      }
    },
    async close() {
      client.destroy();
      await archive.close();
    },
  };
}

async function openBackend(s3: { url: string; credentials: Backend['credentials'] }, bucket: string): Promise<Backend> {
  const [dynamodb, ssm] = await Promise.all([startDynamoDb('checkpoints'), startSsmServer()]);
  return {
    urls: { s3: s3.url, dynamodb: dynamodb.url, ssm: ssm.url },
    credentials: s3.credentials,
    bucket,
    table: 'checkpoints',
    remove: () => Promise.reject(new Error('nothing is removed here')),
    close: async () => void (await Promise.all([dynamodb.close(), ssm.close()])),
  };
}

function decadeBefore(now: Date): SqlArchive['decade'] {
  const to = now.toISOString().slice(0, 10);
  return { from: to.replace(/^\d+/, (year) => String(Number(year) - 10)), to };
}

function withDates(template: Template, { from }: SqlArchive['decade']): Template {
  const text = JSON.stringify(template.toJSON());
  const changed = text.replaceAll(/"projection\.dt\.range":"[^",]+,/g, `"projection.dt.range":"${from},`);
  if (changed === text) throw new Error('no table has dates');
  return Template.fromJSON(JSON.parse(changed));
}
