/**
 * The hand-written log is archived and stored in versitygw. Trino queries it through the tables of the synthesised
 * template, and every request of Trino to S3 is known.
 */

import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { Template } from 'aws-cdk-lib/assertions';
import { createS3Store } from '../../lambdas/adapters/s3';
import { SEGMENT_CONTENT_TYPE } from '../../lambdas/shared/segment';
import { archiveLog } from '../support/asked/archive';
import type { Asking } from '../support/asked/suite';
import { synthesise } from '../support/synthesised';
import { createLockedBucket, s3ClientOf } from './clients';
import { createCatalog } from './glue';
import { type LoggedRequest, startMoto, startVersitygw } from './servers';
import { startTrino } from './trino';

export interface SqlArchive extends Asking {
  /** The dates of the tables that `askDecade` asks. */
  readonly decade: { readonly from: string; readonly to: string };
  /** Asks about the same objects through tables that have partitions for ten years. */
  askDecade: Asking['ask'];
  /** The requests that Trino made to S3 during the work. */
  requestsOf(work: () => Promise<unknown>): Promise<readonly LoggedRequest[]>;
  /** Does the work while the bucket holds one object more. */
  withObject<T>(key: string, bytes: Buffer, work: () => Promise<T>): Promise<T>;
  close(): void;
}

/** The last team has no events. */
const TEAMS = { teams: [{ name: 'main' }, { name: 'eu' }], formerTeams: ['idle'] };

export async function openSqlArchive(): Promise<SqlArchive> {
  const [s3, moto] = await Promise.all([startVersitygw(), startMoto()]);
  const { database, bucket: Bucket } = await createCatalog(moto, synthesise(TEAMS).template);
  const decade = decadeBefore(new Date());
  const longer = await createCatalog(moto, withDates(synthesise({ ...TEAMS, stage: 'decade' }).template, decade));
  const client = s3ClientOf(s3);
  await createLockedBucket(client, Bucket);
  const objects = await archiveLog();
  const store = createS3Store(client, Bucket);
  for (const [key, bytes] of objects) await store.create(key, bytes, SEGMENT_CONTENT_TYPE);
  const trino = await startTrino(s3, moto);

  async function ask(statement: string, schema: string): ReturnType<Asking['ask']> {
    const { columns, rows } = await trino.query(statement, schema);
    return {
      columns: columns.map(({ name }) => name),
      rows: rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
    };
  }

  return {
    objects,
    decade,
    ask: (statement) => ask(statement, database),
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
    close: () => client.destroy(),
  };
}

function decadeBefore(now: Date): SqlArchive['decade'] {
  const to = now.toISOString().slice(0, 10);
  return { from: to.replace(/^\d+/, (year) => String(Number(year) - 10)), to };
}

function withDates(template: Template, { from }: SqlArchive['decade']): Template {
  const text = JSON.stringify(template.toJSON());
  const changed = text.replaceAll(/"projection\.dt\.range":"[^",]+,/g, `"projection.dt.range":"${from},`);
  if (changed === text) throw new Error('no table of the template has dates');
  return Template.fromJSON(JSON.parse(changed));
}
