/** Invokes a function once, and waits for its answer for longer than any function may run. */
import { InvokeCommand, LambdaClient } from '@aws-sdk/client-lambda';
import type { Invoked } from '../run';

/** Lambda ends a run after 15 minutes. */
const WAIT_MS = 16 * 60_000;

export async function invoke(functionArn: string, input: object): Promise<Invoked> {
  const requestHandler = { connectionTimeout: 5_000, requestTimeout: WAIT_MS, socketTimeout: WAIT_MS };
  const client = new LambdaClient({ maxAttempts: 1, requestHandler });
  try {
    const { FunctionError, Payload } = await client.send(
      new InvokeCommand({ FunctionName: functionArn, Payload: JSON.stringify(input) }),
    );
    const answer = JSON.parse(new TextDecoder().decode(Payload));
    if (FunctionError === undefined) return { summary: answer };
    const { errorType = 'unexpected', errorMessage = FunctionError } = answer;
    return { code: String(errorType), failure: String(errorMessage) };
  } catch (error) {
    throw new Error(
      `the function gave no answer (${error}). If it was started, it goes on by itself: "audit-archive status" tells how it ended. Otherwise give yourself the right lambda:InvokeFunction`,
      { cause: error },
    );
  } finally {
    client.destroy();
  }
}
