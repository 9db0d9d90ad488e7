/** One run of the archiver: its team, its settings and its ports. A `Run` never changes. */
import type { Manifest } from '../shared/manifest';
import type { CheckpointStore, Clock, Logger, ObjectStore, Signer } from '../shared/ports';
import type { Retention } from '../shared/retention';
import type { Source } from './source';

/** Soft limits: the page that reaches a limit is still added completely. */
export interface BatchLimits {
  readonly events: number;
  readonly bytes: number;
}

export interface Run {
  /** A random UUID for this run alone. It distinguishes the writes of this run from those of every other run. */
  readonly id: string;
  readonly team: string;
  /** The instant at which the run was due, in ISO 8601. */
  readonly scheduledTime: string;
  readonly codeVersion: string;
  /** Origin of the API that the run reads, such as `https://api.getpostman.com`. */
  readonly sourceOrigin: string;
  /** Used by the first run only: archive from this instant instead of from the oldest event that the source keeps. */
  readonly startDate: Date | undefined;
  /** The id of a Postman team to which the API key may belong although the chain has never met it. */
  readonly acceptOtherTeamId: string | null;
  readonly lookbackHours: number;
  readonly batchLimits: BatchLimits;
  readonly retention: Retention | null;
  readonly store: ObjectStore;
  readonly checkpoints: CheckpointStore;
  readonly source: Source;
  readonly signer: Signer;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Called with the newest manifest before the source is asked for anything. */
  readonly onHead: (head: Manifest) => void;
  /** Called once for each manifest as soon as it is committed, even where the run fails later. */
  readonly onCommitted: (manifest: Manifest) => void;
}
