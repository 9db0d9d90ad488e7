/**
 * The stories that only a real process over real sockets can tell. They know no server: `stories.test.ts` plays them on
 * the servers of the local world, and `test/engines` on servers that nobody here wrote.
 */
import type { Story } from '../support/scenario';
import { awsStories } from './stories-aws';
import { sourceStories } from './stories-source';

export const stories: readonly Story[] = [...sourceStories, ...awsStories];
