/**
 * The least that any archiver does: it fetches pages and discards them, compresses as many bytes, and puts objects of given sizes.
 * It is bundled as the handler is, and runs in a process of its own.
 */
import { randomBytes } from 'node:crypto';
import { gzipSync } from 'node:zlib';
import { S3Client } from '@aws-sdk/client-s3';
import { awsClient } from '../../lambdas/adapters/aws-client';
import { transport } from '../../lambdas/adapters/https';
import { createS3Store } from '../../lambdas/adapters/s3';

export interface FloorWork {
  readonly url: string;
  readonly since: string;
  readonly until: string;
  /** The sizes of the objects that are put, in bytes. */
  readonly objects: readonly number[];
}

/** Returns the number of compressed bytes, so that nothing is optimised away. */
export async function floor({ url, since, until, objects }: FloorWork): Promise<number> {
  const store = createS3Store(new S3Client(awsClient), 'floor');
  let compressed = 0;
  for (let cursor: string | undefined = ''; cursor !== undefined; ) {
    const query = new URLSearchParams({ since, until, limit: '300', ...(cursor && { cursor }) });
    const { body } = await transport.get(
      new URL(`${url}/audit/logs?${query}`),
      {},
      { timeoutMs: 60_000, maxBytes: 2 ** 25 },
    );
    compressed += gzipSync(body).length;
    cursor = /"nextCursor":(\d+)}$/.exec(body.toString('utf8', body.length - 40))?.[1];
  }
  for (const [index, size] of objects.entries())
    await store.create(`object-${index}`, randomBytes(size), 'application/gzip');
  return compressed;
}
