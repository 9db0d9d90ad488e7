/**
 * The settings of every AWS client: a request that is never answered fails instead of holding up a function until its time ends.
 * Without `throwOnRequestTimeout`, the SDK only logs a request that exceeds `requestTimeout`.
 */
const requestHandler = {
  connectionTimeout: 3_000,
  socketTimeout: 30_000,
  requestTimeout: 30_000,
  throwOnRequestTimeout: true,
};

export const awsClient = { maxAttempts: 4, requestHandler };
