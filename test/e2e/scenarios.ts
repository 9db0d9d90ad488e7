/**
 * Every scenario, by what it is about. They know no server: `scenarios.test.ts` plays them on the servers of the local
 * world, `test/engines` on servers that nobody here wrote.
 */
import { content } from './scenarios-content';
import { deviations, faults } from './scenarios-source';
import { checkpoints, crashing, overlapping, plants, trouble } from './scenarios-storage';

export const scenarios = {
  'what a log can hold': content,
  'every reading of the contract': deviations,
  'every fault of the source': faults,
  'a crash at every step': crashing,
  'runs that overlap': overlapping,
  'the checkpoint is only a hint': checkpoints,
  'objects that somebody else wrote': plants,
  'trouble with AWS': trouble,
} as const;
