import { BREAKAGES, breakEverywhere } from './exhaustive';
import { scenarios } from './scenarios';

describe('every scenario survives every breakage of every operation', () => {
  test.each(scenarios)('$name', async (scenario) => {
    const { operations, points, met } = await breakEverywhere(scenario);
    expect(points).toEqual(new Map(BREAKAGES.map(({ name }) => [name, operations.length])));
    const methods = [...new Set(operations)];
    expect(met).toEqual(new Set(methods.flatMap((method) => BREAKAGES.map(({ name }) => `${method}, ${name}`))));
    console.info(`${scenario.name}: ${operations.length} operations x ${BREAKAGES.length} breakages`);
  });
});
