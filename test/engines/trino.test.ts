/**
 * The engine that answers SQL, over the tables of the synthesised template: it starts, finds an event that lies in S3,
 * and says what it does not like.
 */

import { gzipSync } from 'node:zlib';
import { PutObjectCommand } from '@aws-sdk/client-s3';
import { synthesise } from '../support/synthesised';
import { createLockedBucket, s3ClientOf } from './clients';
import { createCatalog } from './glue';
import { describeWith, startMoto, startVersitygw, stopServers, type Versitygw } from './servers';
import { startTrino, type Trino } from './trino';

/** With what JSON is not read for, and SQL must not touch. */
const LINE = '{"id":9007199254740993,"id":1,"note":"\\u0000\\n\u2028","amount":1e400}';

afterAll(stopServers);

describeWith(['versitygw', 'moto', 'trino'], 'SQL on the deployed tables', () => {
  let s3: Versitygw;
  let trino: Trino;
  let lines: string;

  beforeAll(async () => {
    s3 = await startVersitygw();
    const moto = await startMoto();
    const { database, bucket } = await createCatalog(moto, synthesise({ teams: [{ name: 'main' }] }).template);
    lines = `awsdatacatalog.${database}.event_lines`;
    const client = s3ClientOf(s3);
    await createLockedBucket(client, bucket);
    const Key = 'events/team=main/dt=2026-06-12/0000000001.ndjson.gz';
    await client.send(
      new PutObjectCommand({ Bucket: bucket, Key, Body: gzipSync(`${LINE}\n`), ChecksumAlgorithm: 'SHA256' }),
    );
    client.destroy();
    trino = await startTrino(s3, moto);
  }, 300_000);

  test('is answered by Trino 435', async () => {
    expect((await trino.query('SELECT version()')).rows).toEqual([['435']]);
  });

  test('finds a line, and reads nothing but its partition', async () => {
    const before = s3.requests().length;
    const { columns, rows } = await trino.query(
      `SELECT line, team, dt FROM ${lines} WHERE team = 'main' AND dt = '2026-06-12'`,
    );
    expect(columns.map(({ name, type }) => `${name} ${type}`)).toEqual(['line varchar', 'team varchar', 'dt varchar']);
    expect(rows).toEqual([[LINE, 'main', '2026-06-12']]);
    const asked = s3.requests().slice(before);
    expect(new Set(asked.map(({ operation }) => operation))).toEqual(new Set(['ListObjectsV2', 'GetObject']));
    expect(asked.filter(({ key }) => !key.startsWith('events/team=main/dt=2026-06-12/'))).toEqual([]);
  });

  test('is nothing for a day without events', async () => {
    const { rows } = await trino.query(`SELECT line FROM ${lines} WHERE team = 'main' AND dt = '2026-06-13'`);
    expect(rows).toEqual([]);
  });

  test('that is wrong is refused by name', async () => {
    await expect(trino.query(`SELECT nothing FROM ${lines}`)).rejects.toMatchObject({ name: 'COLUMN_NOT_FOUND' });
    await expect(trino.query('SELEKT 1')).rejects.toMatchObject({ name: 'SYNTAX_ERROR' });
  });
});
