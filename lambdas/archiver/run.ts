/** One run of the archiver: what it archives, with which settings, and the world it works in. It never changes. */
import type { Manifest } from '../shared/manifest';
import type { CheckpointStore, Clock, Logger, ObjectStore, Signer } from '../shared/ports';
import type { Retention } from '../shared/retention';
import type { BatchLimits } from './batch';
import type { Source } from './source';

export interface Run {
  /** A random UUID, never used again: it tells this run's writes from those of any other run. */
  readonly id: string;
  readonly team: string;
  /** ISO 8601: when the trigger was due. */
  readonly scheduledTime: string;
  readonly codeVersion: string;
  /** Origin of the API that is asked, such as `https://api.getpostman.com`. */
  readonly sourceOrigin: string;
  /** First run only: archive from here instead of from the oldest event that the source keeps. */
  readonly startDate: Date | undefined;
  /** Whether the API key may be of a Postman team that the chain has never met. */
  readonly acceptOtherTeam: boolean;
  readonly lookbackHours: number;
  readonly batchLimits: BatchLimits;
  readonly retention: Retention | null;
  readonly store: ObjectStore;
  readonly checkpoints: CheckpointStore;
  readonly source: Source;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called once for each manifest, as soon as it is committed and whatever becomes of the run afterwards. */
  readonly onCommitted: (manifest: Manifest) => void;
}
