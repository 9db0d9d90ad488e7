// `npm test` runs the project `unit`; each slow suite is a project with a script of its own. All of them share one
// transformer and one reporter.
const slowSuites = ['e2e', 'faults', 'engines', 'deploy', 'scale'];

const project = (displayName, testMatch, testPathIgnorePatterns = []) => ({
  displayName,
  testMatch,
  testPathIgnorePatterns: ['/node_modules/', ...testPathIgnorePatterns],
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': '<rootDir>/test/support/esbuild-transformer.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out/', '<rootDir>/dist/', '<rootDir>/.archive/'],
  restoreMocks: true,
});

const suite = (name) => project(name, [`<rootDir>/test/${name}/**/*.test.ts`]);

module.exports = {
  testTimeout: 60_000,
  // By default jest leaves one core free, which is half of a machine with two cores.
  maxWorkers: '100%',
  reporters: ['default', '<rootDir>/test/support/count-reporter.cjs'],
  projects: [
    project(
      'unit',
      ['<rootDir>/test/**/*.test.ts'],
      slowSuites.map((name) => `<rootDir>/test/${name}/`),
    ),
    suite('e2e'),
    suite('faults'),
    suite('scale'),
    {
      ...suite('engines'),
      globalSetup: '<rootDir>/test/engines/install.ts',
      testEnvironment: '<rootDir>/test/engines/environment.cjs',
    },
    {
      ...suite('deploy'),
      globalSetup: '<rootDir>/test/deploy/install.ts',
      testEnvironment: '<rootDir>/test/engines/environment.cjs',
    },
  ],
};
