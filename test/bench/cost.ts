/**
 * `npm run bench -- cost` prints the tables of `docs/costs.md`: the calls, the seconds and the requests of a month, measured in
 * simulated runs of a day, at list prices.
 */
import { DAY_MS, HOUR_MS, MINUTE_MS } from '../../lambdas/shared/time';
import { LIKE_THE_LIVE_SERVICE } from '../support/bulk-log';
import { PRICES } from './prices';
import { count, steadyDay, sum } from './walk';

const DAYS_A_MONTH = 730 / 24;
const RETENTION_MONTHS = 400 / DAYS_A_MONTH;
const MEMORY_GB = 0.5;
const VERIFIER_GB = 1;
/** How long Postman and AWS are assumed to take, and the share of a processor that 512 MB have. */
const PACE = { latency: { page: 300, s3: 25, dynamodb: 8 }, slowness: 1769 / 512, text: LIKE_THE_LIVE_SERVICE };
/** The largest part of a manifest is its signature and its list of segments. */
const MANIFEST_BYTES = 3000;
/** Loading the code and the libraries, which Lambda bills too. */
const START_SECONDS = 1;

export async function benchCost(isFull: boolean): Promise<void> {
  const team = await measure(2000, HOUR_MS);
  console.log('\n| line | formula | a month |\n| --- | --- | ---: |');
  for (const { line, formula, dollars } of linesOf(team))
    console.log(`| ${line} | ${formula} | ${dollars > 0 && dollars < 0.005 ? '< $0.01' : `$${dollars.toFixed(2)}`} |`);
  console.log(`| **together** | | **$${billOf(team, 1).toFixed(2)}** |`);
  console.log(
    '\n| events a month, each team | schedule | requests to Postman, each team | one team | ten teams | a hundred teams |',
  );
  console.log('| ---: | --- | ---: | ---: | ---: | ---: |');
  for (const perMonth of isFull ? [1000, 100_000, 10_000_000] : [1000, 100_000])
    for (const [schedule, everyMs] of [
      ['hourly', HOUR_MS],
      ['15 minutes', 15 * MINUTE_MS],
    ] as const) {
      const each = await measure(Math.round(perMonth / DAYS_A_MONTH), everyMs);
      const bills = [1, 10, 100].map((teams) => `$${billOf(each, teams).toFixed(2)}`);
      console.log(`| ${count(perMonth)} | ${schedule} | ${count(Math.round(each.requests))} | ${bills.join(' | ')} |`);
    }
}

/** One team in a month. */
interface Month {
  readonly runs: number;
  readonly requests: number;
  readonly gets: number;
  readonly lists: number;
  readonly puts: number;
  readonly seconds: number;
  readonly storedGb: number;
}

async function measure(perDay: number, everyMs: number): Promise<Month> {
  const runs = await steadyDay(perDay, everyMs, PACE);
  const month = (values: readonly number[]) => sum(values) * DAYS_A_MONTH;
  const bytes = runs.flatMap(({ manifests }) => manifests.map(({ batch }) => 2 * (batch?.bytes ?? 0) + MANIFEST_BYTES));
  return {
    runs: (DAY_MS / everyMs) * DAYS_A_MONTH,
    requests: month(runs.map(({ pagesAt }) => pagesAt.length)),
    gets: month(runs.map(({ calls }) => calls.get)),
    lists: month(runs.map(({ calls }) => calls.list)),
    puts: month(runs.map(({ calls }) => calls.create)),
    seconds: month(runs.map(({ durationMs }) => durationMs / 1000 + START_SECONDS)),
    storedGb: month(bytes) / 1e9,
  };
}

interface Line {
  readonly line: string;
  readonly formula: string;
  readonly dollars: number;
  /** Whether the archive pays it once, and not for each team. */
  readonly isShared?: boolean;
}

function linesOf({ runs, gets, lists, puts, seconds, storedGb }: Month): Line[] {
  const objects = puts * 12;
  const verified = { gets: objects / 30, lists: objects / 1000, seconds: 30 + objects / 1000 };
  const calls = (each: number) => count(Math.round(each));
  const day = (each: number) => each * DAYS_A_MONTH;
  return [
    {
      line: 'KMS keys',
      formula: '2 keys x $1 (the encryption key rotates: +$1 after each of its first two years)',
      dollars: 2 * PRICES.kmsKey,
      isShared: true,
    },
    {
      line: 'CloudWatch metrics',
      formula:
        'an hourly metric x $0.30, and two daily ones x $0.30/24, one of them for each team (the first ten in an account are free)',
      dollars: PRICES.metric * (1 + 2 / 24),
    },
    {
      line: 'CloudWatch alarms',
      formula: '5 x $0.10 (the first ten in an account are free)',
      dollars: 5 * PRICES.alarm,
      isShared: true,
    },
    { line: 'alarm of the team', formula: '1 x $0.10', dollars: PRICES.alarm },
    {
      line: 'dashboard',
      formula: '$3.00, unless it is one of the first three in the account, which are free',
      dollars: 0,
    },
    {
      line: 'S3 requests',
      formula: `${calls(puts + lists)} PUT and LIST x $0.005/1,000; ${calls(gets)} GET x $0.0004/1,000`,
      dollars: (puts + lists) * PRICES.s3Put + gets * PRICES.s3Get,
    },
    {
      line: 'S3 storage, for 400 days',
      formula: `${storedGb.toFixed(3)} GB a month x 400 days x $0.023/GB`,
      dollars: storedGb * RETENTION_MONTHS * PRICES.s3GigabyteMonth,
    },
    {
      line: 'access log, for 400 days',
      formula: `${calls(gets + puts + lists)} requests x 0.5 KB x 400 days x $0.023/GB`,
      dollars: (((gets + puts + lists) * 500) / 1e9) * RETENTION_MONTHS * PRICES.s3GigabyteMonth,
    },
    {
      line: 'Lambda (arm64, 512 MB)',
      formula: `${calls(seconds)} s x 0.5 GB x $0.0000133/GB-s`,
      dollars: seconds * MEMORY_GB * PRICES.lambdaGigabyteSecond,
    },
    {
      line: 'verifier, once a year is archived',
      formula: `${calls(objects)} objects: a day ${calls(verified.lists)} LIST, ${calls(verified.gets)} GET, ${calls(verified.seconds)} s x 1 GB`,
      dollars: day(
        verified.lists * PRICES.s3Put +
          verified.gets * PRICES.s3Get +
          verified.seconds * VERIFIER_GB * PRICES.lambdaGigabyteSecond,
      ),
    },
    {
      line: 'KMS requests',
      formula: `${calls(runs)} runs x (1 signature x $0.15/10,000 + 3 decryptions x $0.03/10,000)`,
      dollars: runs * (PRICES.kmsSigning + 3 * PRICES.kmsDecryption),
    },
    {
      line: 'DynamoDB, Scheduler, CloudWatch Logs',
      formula: `${calls(runs)} runs x (2 writes x $0.625/million + $1/million + 4 KB x $0.50/GB)`,
      dollars: runs * (2 * PRICES.dynamoDbWrite + PRICES.schedulerInvocation + (4e3 / 1e9) * PRICES.logGigabyte),
    },
  ];
}

function billOf(month: Month, teams: number): number {
  return sum(linesOf(month).map(({ dollars, isShared }) => dollars * (isShared ? 1 : teams)));
}
