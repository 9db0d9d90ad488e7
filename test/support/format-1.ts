/**
 * The frozen archive of format 1 (`test/fixtures/format-1`), and one run of the archiver's story over stored objects. The
 * archive was written once, by the version that froze the format, and must never be written again.
 */

import { createECDH, createHash, createPrivateKey, createPublicKey, sign } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { archive } from '../../lambdas/archiver/archive';
import { BATCH_LIMITS, type BatchLimits } from '../../lambdas/archiver/batch';
import type { CheckpointStore, Signer } from '../../lambdas/shared/ports';
import { createSourceModel } from '../../local/postman/source-model';
import { type SourceSettings, sourceSettings } from '../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { memoryStore } from './memory-store';
import { API_KEY, modelServer, sourceKit } from './source-kit';
import { virtualClock } from './virtual-clock';

export const FIXTURE = join(import.meta.dirname, '../fixtures/format-1');
export const PUBLIC_KEY = join(FIXTURE, 'public-key.pem');

export function frozenObjects(): Map<string, Buffer> {
  const bucket = join(FIXTURE, 'bucket');
  const files = readdirSync(bucket, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
  const paths = files.map(({ parentPath, name }) => join(parentPath, name)).sort();
  return new Map(paths.map((path) => [path.slice(bucket.length + 1), readFileSync(path)]));
}

/** Signs with the fixture's key. It is worked out from a text, so that no private key lies in the repository. */
export function fixtureSigner(): Signer {
  const curve = createECDH('prime256v1');
  curve.setPrivateKey(createHash('sha256').update('postman-audit-archive/1 fixture').digest());
  const [point, d] = [curve.getPublicKey(), curve.getPrivateKey('base64url')];
  const coordinate = (start: number) => point.subarray(start, start + 32).toString('base64url');
  const key = createPrivateKey({
    format: 'jwk',
    key: { kty: 'EC', crv: 'P-256', d, x: coordinate(1), y: coordinate(33) },
  });
  return {
    publicKey: createPublicKey(key),
    sign: async (message) => sign('sha256', message, { key, dsaEncoding: 'der' }),
  };
}

export interface ArchiverRun {
  readonly team: string;
  readonly objects: ReadonlyMap<string, Buffer>;
  /** All that the source has ever held; what it serves depends on `now`. */
  readonly events: readonly SourceEvent[];
  /** ISO 8601. */
  readonly now: string;
  readonly runId: string;
  readonly batchLimits?: BatchLimits;
  readonly source?: Partial<SourceSettings>;
}

/** The objects after the run. DynamoDB knows nothing, so the run goes on from what is stored alone. */
export async function runArchiver(run: ArchiverRun): Promise<Map<string, Buffer>> {
  const clock = virtualClock({ start: run.now });
  const store = memoryStore({ objects: run.objects });
  const model = createSourceModel(createTable(run.events), sourceSettings('reality', API_KEY, run.source));
  const { source, logger } = sourceKit(modelServer(model, clock), { clock });
  await archive({
    id: run.runId,
    team: run.team,
    scheduledTime: run.now,
    codeVersion: '0.1.0',
    sourceOrigin: 'https://api.getpostman.com',
    startDate: undefined,
    acceptOtherTeam: false,
    lookbackHours: 6,
    batchLimits: run.batchLimits ?? BATCH_LIMITS,
    retention: { mode: 'GOVERNANCE', days: 400, expireAfterDays: null },
    store,
    checkpoints: noCheckpoints,
    source,
    signer: fixtureSigner(),
    clock,
    logger,
    onCommitted: () => undefined,
  });
  return store.objects;
}

const noCheckpoints: CheckpointStore = {
  acquire: async () => ({ seq: undefined }),
  save: async () => 'saved',
  release: async () => undefined,
};
