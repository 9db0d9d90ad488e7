import { openLocalBackend } from '../support/backend';
import { playAll } from '../support/scenario';
import { stories } from './stories';

playAll(stories, openLocalBackend);
