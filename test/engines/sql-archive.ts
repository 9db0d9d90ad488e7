/**
 * The hand-written log is archived and stored in versitygw. Trino queries it through the tables of the synthesised
 * template, and every request of Trino to S3 is known.
 */

import { DeleteObjectCommand, PutObjectCommand } from '@aws-sdk/client-s3';
import { createS3Store } from '../../lambdas/adapters/s3';
import { SEGMENT_CONTENT_TYPE } from '../../lambdas/shared/segment';
import { archiveLog } from '../support/asked/archive';
import { synthesise } from '../support/synthesised';
import { createLockedBucket, s3ClientOf } from './clients';
import { createCatalog } from './glue';
import { startMoto, startVersitygw } from './servers';
import { startTrino } from './trino';

export type SqlArchive = Awaited<ReturnType<typeof openSqlArchive>>;

/** The last team has no events. */
const TEAMS = { teams: [{ name: 'main' }, { name: 'eu' }], formerTeams: ['idle'] };

export async function openSqlArchive() {
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
    async ask(statement: string) {
      const { columns, rows } = await trino.query(statement, database);
      return {
        columns: columns.map(({ name }) => name),
        rows: rows.map((row) => row.map((cell) => (cell === null ? null : String(cell)))),
      };
    },
    /** The requests that Trino made to S3 during the work. */
    async requestsOf(work: () => Promise<unknown>) {
      const before = s3.requests().length;
      await work();
      return s3.requests().slice(before);
    },
    /** Does the work while the bucket holds one object more. */
    async withObject<T>(Key: string, Body: Buffer, work: () => Promise<T>): Promise<T> {
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
