// `npm test` runs the project `unit`; the slow suites have a script each. All share one transformer and one reporter.
const suites = ['faults', 'engines', 'memory'];

const project = (displayName, testMatch, testPathIgnorePatterns) => ({
  displayName,
  testMatch,
  testPathIgnorePatterns: ['/node_modules/', ...testPathIgnorePatterns],
  testEnvironment: 'node',
  transform: { '^.+\\.ts$': '<rootDir>/test/support/esbuild-transformer.cjs' },
  modulePathIgnorePatterns: ['<rootDir>/cdk.out/', '<rootDir>/dist/', '<rootDir>/.archive/'],
  restoreMocks: true,
});

module.exports = {
  testTimeout: 60_000,
  reporters: ['default', '<rootDir>/test/support/count-reporter.cjs'],
  projects: [
    project(
      'unit',
      ['<rootDir>/test/**/*.test.ts'],
      [...suites, 'bench'].map((suite) => `<rootDir>/test/${suite}/`),
    ),
    project('faults', ['<rootDir>/test/faults/**/*.test.ts'], []),
    project('memory', ['<rootDir>/test/memory/**/*.test.ts'], []),
    {
      ...project('engines', ['<rootDir>/test/engines/**/*.test.ts'], []),
      globalSetup: '<rootDir>/test/engines/install.ts',
      testEnvironment: '<rootDir>/test/engines/environment.cjs',
    },
  ],
};
