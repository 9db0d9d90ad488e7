/**
 * `npm run bench -- sql` measures the cost of small segments for SQL. Through the deployed tables and views, Trino scans a
 * simulated year of hourly segments, of 15-minute segments, and of the same rows in one object per day. Only the ratios
 * within one run are valid on other machines; `docs/performance.md` explains them.
 */
import { CreateBucketCommand, PutObjectCommand, type S3Client } from '@aws-sdk/client-s3';
import { MINUTE_MS } from '../../lambdas/shared/time';
import { s3ClientOf } from '../engines/clients';
import { createCatalog } from '../engines/glue';
import { installEngines } from '../engines/install';
import { startMoto, startVersitygw, stopServers, type Versitygw } from '../engines/servers';
import { startTrino, type Trino } from '../engines/trino';
import { synthesise } from '../support/synthesised';
import { PERIODS, yearOf } from './year';

/** Each schedule has a team of its own. */
const SCHEDULES = { daily: 1440 * MINUTE_MS, hourly: 60 * MINUTE_MS, quarter: 15 * MINUTE_MS } as const;
type Schedule = keyof typeof SCHEDULES;
const schedules = Object.keys(SCHEDULES) as Schedule[];

const ROUNDS = 3;
const PUTS_AT_ONCE = 16;

interface Scan {
  readonly seconds: number;
  readonly requests: number;
  readonly answer: string;
}

interface Bench {
  readonly s3: Versitygw;
  readonly trino: Trino;
  readonly database: string;
}

export async function benchSql(): Promise<void> {
  try {
    await scanAll();
  } finally {
    await stopServers();
  }
}

async function scanAll(): Promise<void> {
  installEngines(['versitygw', 'moto', 'trino']);
  const [s3, moto] = await Promise.all([startVersitygw(), startMoto()]);
  const { template } = synthesise({ teams: schedules.map((name) => ({ name })) });
  const { database, bucket } = await createCatalog(moto, template);
  const client = s3ClientOf(s3);
  await client.send(new CreateBucketCommand({ Bucket: bucket }));
  console.log('| segments | objects | stored bytes |\n| --- | ---: | ---: |');
  for (const schedule of schedules) await store(client, bucket, schedule);
  client.destroy();
  const trino = await startTrino(s3, moto);
  console.log(
    '\n| asked for | segments | seconds (median) | ratio | S3 requests | ratio |\n| --- | --- | ---: | ---: | ---: | ---: |',
  );
  for (const period of Object.keys(PERIODS) as (keyof typeof PERIODS)[]) await compare({ s3, trino, database }, period);
}

async function store(client: S3Client, Bucket: string, schedule: Schedule): Promise<void> {
  const segments = yearOf(schedule, SCHEDULES[schedule]);
  let objects = 0;
  let stored = 0;
  const putNext = async (): Promise<void> => {
    for (const { key: Key, bytes: Body } of segments) {
      objects += 1;
      stored += Body.length;
      await client.send(new PutObjectCommand({ Bucket, Key, Body }));
    }
  };
  await Promise.all(Array.from({ length: PUTS_AT_ONCE }, putNext));
  console.log(`| ${schedule} | ${objects.toLocaleString('en')} | ${stored.toLocaleString('en')} |`);
}

/** The schedules take turns, so that other work of the machine affects all of them alike. */
async function compare(bench: Bench, period: keyof typeof PERIODS): Promise<void> {
  const scans = new Map(schedules.map((schedule) => [schedule, [] as Scan[]]));
  for (let round = 0; round <= ROUNDS; round += 1) {
    for (const schedule of schedules) {
      const scan = await scanOnce(bench, schedule, PERIODS[period]);
      // The first round only warms the caches.
      if (round > 0) scans.get(schedule)?.push(scan);
    }
  }
  const answers = new Set([...scans.values()].flat().map(({ answer }) => answer));
  if (answers.size !== 1) throw new Error(`not the same rows: ${[...answers].join(' / ')}`);
  const daily = medians(scans.get('daily') ?? []);
  for (const [schedule, some] of scans) {
    const { seconds, requests } = medians(some);
    const ratios = { time: seconds / daily.seconds, requests: requests / daily.requests };
    console.log(
      `| ${period} | ${schedule} | ${seconds.toFixed(2)} | ${ratios.time.toFixed(1)} | ${requests.toLocaleString('en')} | ${ratios.requests.toFixed(1)} |`,
    );
  }
}

/** Opens every object of the period and reads every line, as most of the auditors' queries do. */
async function scanOnce(
  { s3, trino, database }: Bench,
  schedule: Schedule,
  [from, to]: readonly [string, string],
): Promise<Scan> {
  const before = s3.requests().length;
  const started = performance.now();
  const { rows } = await trino.query(
    `SELECT count(*), count(DISTINCT id), count(DISTINCT actor_id), count_if(regexp_like(action, 'login'))
     FROM events WHERE team = '${schedule}' AND dt BETWEEN '${from}' AND '${to}'`,
    database,
  );
  const seconds = (performance.now() - started) / 1000;
  return { seconds, requests: s3.requests().length - before, answer: JSON.stringify(rows) };
}

function medians(scans: readonly Scan[]): Pick<Scan, 'seconds' | 'requests'> {
  const median = (name: 'seconds' | 'requests') =>
    scans.map((scan) => scan[name]).sort((a, b) => a - b)[Math.floor(scans.length / 2)] ?? 0;
  return { seconds: median('seconds'), requests: median('requests') };
}
