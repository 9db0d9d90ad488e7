// Node's environment, and it remembers whether a test or a hook has failed: then the servers' logs are shown.
const { TestEnvironment } = require('jest-environment-node');

module.exports = class EngineEnvironment extends TestEnvironment {
  handleTestEvent({ name }) {
    if (name === 'test_fn_failure' || name === 'hook_failure') this.global.engineTestFailed = true;
  }
};
