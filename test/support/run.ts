/** A run, its progress and a batch with ordinary values. A test names only the fields that matter to it. */
import { BATCH_LIMITS, type Batch, openBatch } from '../../lambdas/archiver/batch';
import { type Chain, createChain, type SignedManifest } from '../../lambdas/archiver/chain';
import type { HeldLine } from '../../lambdas/archiver/deduplicate';
import { beginProgress, type Progress } from '../../lambdas/archiver/progress';
import type { Run } from '../../lambdas/archiver/run';
import { signEnvelope } from '../../lambdas/shared/dsse';
import { isDated, readEvent } from '../../lambdas/shared/event';
import { encodeManifest, type Manifest, PAYLOAD_TYPE, sha256 } from '../../lambdas/shared/manifest';
import { manifestKey } from '../../lambdas/shared/object-keys';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { testSigner } from './archive-builder';
import { aManifest } from './manifest';
import { type MemoryStore, memoryStore } from './memory-store';
import { API_KEY, modelServer, recordedLogger, sourceKit } from './source-kit';
import { createSourceModel, type SourceSettings, sourceSettings } from './test-source';
import { virtualClock } from './virtual-clock';

export const RUN_ID = '5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11';

/** Its source refuses to be asked, and its checkpoint table is empty and accepts everything. */
export function aRun(changes: Partial<Run> = {}): Run {
  return {
    id: RUN_ID,
    team: 'main',
    scheduledTime: '2026-06-12T12:00:00.000Z',
    codeVersion: '0.1.0',
    sourceOrigin: 'https://api.getpostman.com',
    startDate: undefined,
    acceptOtherTeamId: null,
    lookbackHours: 6,
    batchLimits: { events: 1000, bytes: 1e8 },
    retention: null,
    store: memoryStore(),
    checkpoints: {
      acquire: async () => ({ seq: undefined }),
      save: async () => 'saved',
      release: async () => undefined,
    },
    source: {
      ask: async () => Promise.reject(new Error('this run asks its source nothing')),
      hasApiKey: async () => true,
      tally: () => ({ requests: 0, throttled: 0 }),
    },
    signer: testSigner,
    clock: virtualClock(),
    logger: recordedLogger(),
    onHead: () => undefined,
    onCommitted: () => undefined,
    ...changes,
  };
}

export interface ModelledSource {
  /** All that the source has ever held. What it serves depends on the time. */
  readonly events: readonly SourceEvent[];
  readonly settings?: Partial<SourceSettings> | undefined;
}

/** A run in virtual time that begins at this instant (ISO 8601), and asks a model of the API. */
export function aRunAt(start: string, { events, settings = {} }: ModelledSource, changes: Partial<Run> = {}): Run {
  const clock = virtualClock({ start });
  const model = createSourceModel(createTable(events), sourceSettings('reality', API_KEY, settings));
  const { source } = sourceKit(modelServer(model, clock), { clock });
  return aRun({ scheduledTime: start, batchLimits: BATCH_LIMITS, clock, source, ...changes });
}

/** The progress of a complete walk that began at that instant. */
export function aProgress(walkStart: Date, changes: Partial<Progress> = {}): Progress {
  const options = {
    previous: undefined,
    startedAt: walkStart,
    startDate: walkStart,
    lookbackHours: 6,
    lastFullWalk: undefined,
  };
  const begun = beginProgress(options);
  return { ...begun, hasRead: true, ...changes };
}

/** The last batch of a complete run, from lines. A line without an instant is held in quarantine. */
export function aBatch(lines: readonly string[], progress: Progress, changes: Partial<Batch> = {}): Batch {
  const read = lines.map((line) => readEvent(Buffer.from(line)));
  const { walkStart } = progress;
  const held = read
    .filter((event) => !isDated(event))
    .map((event): HeldLine => ({ event, reason: 'bad-timestamp', date: '2026-06-12', instant: walkStart }));
  const open = openBatch({ limits: { events: 1000, bytes: 1e8 }, lateBefore: undefined, requestsBefore: 0 });
  open.add({ newEvents: read.filter(isDated), held, known: 0, revisions: 0, unfit: held.length, standings: [] });
  return {
    ...open.close(1),
    progress,
    reason: 'complete',
    sweeps: [],
    sourceTeams: ['1'],
    undated: [],
    isLast: true,
    ...changes,
  };
}

/** Signs these manifests, oldest first, links them, and puts them into the store. Their numbers follow that of the first. */
export async function aChain(
  manifests: readonly Partial<Manifest>[],
  store: MemoryStore = memoryStore(),
): Promise<Chain> {
  const firstSeq = manifests[0]?.seq ?? 1;
  let newest: SignedManifest | undefined;
  for (const [index, fields] of manifests.entries()) {
    const seq = firstSeq + index;
    const previous = newest?.hash ?? (seq === 1 ? null : 'a'.repeat(64));
    const manifest = aManifest({ ...fields, seq, previous });
    const payload = encodeManifest(manifest);
    store.objects.set(manifestKey('main', seq), await signEnvelope(PAYLOAD_TYPE, payload, testSigner));
    newest = { manifest, hash: sha256(payload) };
  }
  return createChain({ team: 'main', store, signer: testSigner, clock: virtualClock() }, newest);
}
