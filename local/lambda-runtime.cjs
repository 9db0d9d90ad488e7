// The program of a lambda process: it loads the bundle as it is and calls its `handler` once for each message, as Lambda
// does. It is plain CommonJS without any package, so that the memory of the process is the memory of the handler.
const bundleFile = process.argv[2];

// Both streams become one, so that the lines keep their order as in CloudWatch.
process.stderr.write = process.stdout.write.bind(process.stdout);
// The process that started this one has ended.
process.on('disconnect', () => process.exit());

process.on('message', async ({ requestId, event, timeoutMs }) => {
  const deadline = Date.now() + timeoutMs;
  const context = { awsRequestId: requestId, getRemainingTimeInMillis: () => Math.max(0, deadline - Date.now()) };
  const result = await run(event, context);
  // This is the last line of the invocation: whoever has read it has read all lines before it.
  process.stdout.write(`\nEND RequestId: ${requestId} ${JSON.stringify(result)}\n`);
});

async function run(event, context) {
  try {
    return { ok: true, result: await require(bundleFile).handler(event, context) };
  } catch (error) {
    const { name = 'Error', message = String(error) } = error ?? {};
    return { ok: false, error: { name, message } };
  }
}
