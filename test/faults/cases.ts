/** Cases that are no single broken run: each plays its own story, and asks the oracle. */
import type * as unpatched from './program';

export interface Case {
  readonly name: string;
  /** Throws where the archive did not survive. */
  readonly play: (program?: typeof unpatched) => Promise<void>;
}
