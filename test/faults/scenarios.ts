/** Every scenario. Each is as short as its claim allows. */
import type { Scenario } from './scenario';
import { contentScenarios } from './scenarios-content';
import { protocolScenarios } from './scenarios-protocol';
import { runtimeScenarios } from './scenarios-runtime';

export const scenarios: readonly Scenario[] = [...contentScenarios, ...protocolScenarios, ...runtimeScenarios];
