// The inside of a local Lambda: loads the bundle as it is and calls its `handler` once per message, as the runtime
// would. Plain CommonJS on plain Node, so that the process's memory is the handler's and nobody else's.
const { readFileSync } = require('node:fs');

const [bundleFile, functionName] = process.argv.slice(2);

// One ordered stream of lines, as in CloudWatch.
process.stderr.write = process.stdout.write.bind(process.stdout);
// Whoever started this is gone: a Lambda does not outlive its service.
process.on('disconnect', () => process.exit());

process.on('message', async ({ requestId, event, timeoutMs }) => {
  const outcome = await run(event, contextOf(requestId, Date.now() + timeoutMs));
  // Behind the last line of this invocation, so whoever reads it has read them all.
  process.stdout.write(`\nEND RequestId: ${requestId} ${JSON.stringify({ ...outcome, vmHwmKb: peakKb() })}\n`);
});

async function run(event, context) {
  try {
    return { ok: true, result: await require(bundleFile).handler(event, context) };
  } catch (error) {
    const { name = 'Error', code, message = String(error) } = error ?? {};
    return { ok: false, error: { name, code, message } };
  }
}

function contextOf(awsRequestId, deadline) {
  return {
    awsRequestId,
    functionName,
    functionVersion: '$LATEST',
    invokedFunctionArn: `arn:aws:lambda:us-east-1:000000000000:function:${functionName}`,
    memoryLimitInMB: '512',
    logGroupName: `/aws/lambda/${functionName}`,
    logStreamName: 'local',
    callbackWaitsForEmptyEventLoop: true,
    getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()),
  };
}

/** Peak resident memory since the process began, where the system tells. */
function peakKb() {
  try {
    return Number(/^VmHWM:\s*(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))[1]);
  } catch {
    return undefined;
  }
}
