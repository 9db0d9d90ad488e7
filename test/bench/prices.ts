/** List prices of AWS for us-east-1 in US dollars, as of November 2026. A month has 730 hours. */
export const PRICES = {
  kmsKey: 1,
  kmsSigning: 0.15 / 10_000,
  kmsDecryption: 0.03 / 10_000,
  metric: 0.3,
  alarm: 0.1,
  s3Get: 0.0004 / 1000,
  /** The price of a PUT and of a LIST. */
  s3Put: 0.005 / 1000,
  s3GigabyteMonth: 0.023,
  /** The price for a function on arm64. */
  lambdaGigabyteSecond: 0.0000133334,
  dynamoDbWrite: 0.625 / 1e6,
  schedulerInvocation: 1 / 1e6,
  logGigabyte: 0.5,
} as const;
