import { openLocalBackend } from '../support/backend';
import { playAll } from '../support/scenario';
import { scenarios } from './scenarios';

describe.each(Object.entries(scenarios))('%s', (_, each) => playAll(each, openLocalBackend));
