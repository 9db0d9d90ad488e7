/** An invocation becomes the summary of the run, the message of its error, or an error that says what may have happened. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import { invoke } from '../../../cli/aws/invoke';

const lambda = mockClient(LambdaClient);
const answer = (payload: object, more: object = {}) =>
  lambda.on(InvokeCommand).resolves({ Payload: Buffer.from(JSON.stringify(payload)) as never, ...more });

beforeEach(() => lambda.reset());

test('the answer of the function is the summary of the run', async () => {
  answer({ outcome: 'archived' });
  expect(await invoke('arn:f', { team: 'main' })).toEqual({ summary: { outcome: 'archived' } });
  expect(lambda.commandCalls(InvokeCommand)[0]?.args[0].input).toEqual({
    FunctionName: 'arn:f',
    Payload: '{"team":"main"}',
  });
});

test('an error of the function is a failed run, with the code and the message that the archiver threw', async () => {
  answer({ errorType: 'api-key-refused', errorMessage: 'store the key again' }, { FunctionError: 'Unhandled' });
  expect(await invoke('arn:f', {})).toEqual({ code: 'api-key-refused', failure: 'store the key again' });
});

test('a lost answer is an error that does not call the run failed, and nothing is invoked a second time', async () => {
  lambda.on(InvokeCommand).rejects(Object.assign(new Error('socket hang up'), { name: 'TimeoutError' }));
  await expect(invoke('arn:f', {})).rejects.toThrow(/no answer \(TimeoutError: socket hang up\).*goes on by itself/);
  expect(lambda.commandCalls(InvokeCommand)).toHaveLength(1);
  const client = lambda.commandCalls(InvokeCommand)[0]?.thisValue as LambdaClient;
  expect(await client.config.maxAttempts()).toBe(1);
});
