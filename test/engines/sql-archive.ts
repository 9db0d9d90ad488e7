/**
 * The hand-written log is archived and stored in versitygw. Trino queries it through the tables of the synthesised
 * template, and every request of Trino to S3 is known.
 */

import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
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
  const client = s3ClientOf(s3);
  await createLockedBucket(client, Bucket);
  const objects = await archiveLog();
  const store = createS3Store(client, Bucket);
  for (const [key, bytes] of objects) await store.create(key, bytes, SEGMENT_CONTENT_TYPE);
  const trino = await startTrino(s3, moto);

  return {
    objects,
    async ask(statement) {
      const { columns, rows } = await trino.query(statement, database);
      return {
        columns: columns.map(({ name }) => name),
        rows: rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
      };
    },
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
