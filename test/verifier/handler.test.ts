/**
 * Several teams of which one cannot be verified, and a mail that SNS refuses, which no server can be made to show.
 * `test/engines/verifier.test.ts` shows everything else.
 */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import {
  GetObjectCommand,
  ListObjectsV2Command,
  ListObjectVersionsCommand,
  PutObjectCommand,
  S3Client,
} from '@aws-sdk/client-s3';
import { PublishCommand, SNSClient } from '@aws-sdk/client-sns';
import type { Context } from 'aws-lambda';
import { mockClient } from 'aws-sdk-client-mock';
import type { VerifierSummary } from '../../lambdas/shared/contract';
import { addMs, DAY_MS } from '../../lambdas/shared/time';
import { handler } from '../../lambdas/verifier/handler';
import { buildArchive, sampleBatches, testSigner } from '../support/archive-builder';
import { scratch } from '../support/scratch';

const FIRST_DAY = new Date('2026-06-12T03:00:00.000Z');
const TOPIC = 'arn:aws:sns:eu-central-1:111122223333:topic';
const TEN = Array.from('abcdefghij');

beforeAll(() => {
  const publicKey = join(scratch, 'archive.pub.pem');
  writeFileSync(publicKey, testSigner.publicPem);
  Object.assign(process.env, {
    ARCHIVE_BUCKET: 'archive',
    SIGNING_KEY: `file:${publicKey}`,
    ALARM_TOPIC: TOPIC,
    AWS_REGION: 'eu-central-1',
  });
});
afterEach(() => jest.useRealTimers());

/** A bucket with the sample archive of each team. `onListing` is called with each folder that is listed. */
async function bucketOf(teams: readonly string[], onListing: (prefix: string) => void) {
  const stored = new Map<string, { readonly body: Uint8Array; readonly writtenAt: Date }>();
  for (const team of teams)
    for (const [key, body] of await buildArchive({ team, batches: sampleBatches }))
      stored.set(key, { body, writtenAt: FIRST_DAY });
  const s3 = mockClient(S3Client);
  s3.on(ListObjectsV2Command).resolves({
    CommonPrefixes: teams.map((team) => ({ Prefix: `manifests/team=${team}/` })),
  });
  s3.on(ListObjectsV2Command, { Prefix: 'anchors/' }).resolves({});
  s3.on(ListObjectVersionsCommand).callsFake(async ({ Prefix = '' }) => {
    onListing(Prefix);
    const keys = [...stored.keys()].filter((key) => key.startsWith(Prefix)).sort();
    return { Versions: keys.map((Key) => ({ Key, IsLatest: true, LastModified: stored.get(Key)?.writtenAt })) };
  });
  s3.on(GetObjectCommand).callsFake(async ({ Key = '' }) => ({
    Body: { transformToByteArray: async () => stored.get(Key)?.body },
    ObjectLockMode: 'COMPLIANCE',
    ObjectLockRetainUntilDate: new Date('2099-01-01'),
  }));
  s3.on(PutObjectCommand).callsFake(async ({ Key, Body }) => {
    stored.set(Key, { body: Body, writtenAt: new Date() });
    return {};
  });
  return stored;
}

/** Runs the handler on that day. Returns its summary, or its error, whether it emitted that every team is verified, and the log. */
async function runOn(day: number, remaining: () => number = () => 900_000) {
  const logged: string[] = [];
  const scheduledTime = addMs(FIRST_DAY, day * DAY_MS).toISOString();
  for (const stream of [process.stdout, process.stderr])
    jest.spyOn(stream, 'write').mockImplementation((chunk) => logged.push(...String(chunk).split('\n')) > 0);
  const timers = ['setTimeout', 'setInterval', 'setImmediate', 'nextTick', 'queueMicrotask', 'performance'] as const;
  jest.useFakeTimers({ now: addMs(FIRST_DAY, day * DAY_MS), doNotFake: [...timers] });
  const running = handler({ scheduledTime }, { getRemainingTimeInMillis: remaining } as Context);
  const result: VerifierSummary | Error = await running.catch((error: Error) => error);
  const lines = logged.filter((line) => line.startsWith('{')).map((line) => JSON.parse(line));
  const isVerified = lines.some(({ Verified }) => Verified === 1);
  return { result, isVerified, logged: logged.join('\n') };
}

test('of ten teams one is stuck: the others are verified daily, and no metric says that all of them are', async () => {
  let isStuck = false;
  const stored = await bucketOf(TEN, (prefix) => {
    if (isStuck && prefix === 'events/team=d/') throw Object.assign(new Error(), { name: 'AccessDenied' });
  });
  const told: boolean[] = [];
  for (const day of [0, 1, 2, 3]) {
    isStuck = day > 0;
    const { result, isVerified } = await runOn(day);
    expect(String(result)).toMatch(
      isStuck ? /^Error: not every team could be verified: d: storage-refused: / : /object/,
    );
    told.push(isVerified);
  }
  expect(told).toEqual([true, false, false, false]);
  const anchors = (team: string) => [...stored.keys()].filter((key) => key.startsWith(`anchors/team=${team}/`)).length;
  expect(TEN.map(anchors)).toEqual([4, 4, 4, 1, 4, 4, 4, 4, 4, 4]);
});

test('the log names a hundred findings of a team, and counts the others', async () => {
  const stored = await bucketOf(['main'], () => undefined);
  for (let number = 1; number <= 101; number += 1)
    stored.set(`events/team=main/planted-${number}`, { body: Buffer.of(), writtenAt: FIRST_DAY });
  const { logged } = await runOn(0);
  expect(logged.match(/"message":"object-unlisted"/g)).toHaveLength(100);
  expect(logged).toMatch(/"message":"further findings"[^\n]*"findings":1\b/);
});

test.each([
  ['two days', 5, ['abcdef', 'ghijab', 'cdefab', 'ghijab'], [false, true, true, true]],
  ['three days', 3, ['abcd', 'efgh', 'ijab', 'cdef'], [false, false, false, false]],
] as const)('teams for whom no time is left are verified first by the next run, and in %s it is said or not that all are verified', async (_days, share, turns, told) => {
  let remaining = 0;
  await bucketOf(TEN, (prefix) => {
    if (prefix.startsWith('events/')) remaining -= 800_000 / (share + 1);
  });
  const days = [];
  for (const day of [0, 1, 2, 3]) {
    remaining = 900_000;
    days.push(await runOn(day, () => remaining));
  }
  const verified = days.map(({ result }) =>
    (result as VerifierSummary).teams.flatMap(({ team, roundDays }) => (roundDays === undefined ? [] : team)).join(''),
  );
  expect(verified).toEqual(turns);
  expect(days.map(({ isVerified }) => isVerified)).toEqual(told);
});

describe('the weekly mail', () => {
  const MONDAY = 3;
  const sns = mockClient(SNSClient);
  beforeEach(() => {
    sns.reset();
    process.env.ALARM_TOPIC = TOPIC;
  });
  const mails = () => sns.commandCalls(PublishCommand).map(({ args }) => args[0].input);

  test('the verification of a Monday sends one mail to the topic, and compares with the anchor of a week before', async () => {
    sns.on(PublishCommand).resolves({});
    await bucketOf(['main'], () => undefined);
    const sent: number[] = [];
    for (let day = 0; day <= 10; day += 1) {
      await runOn(day);
      sent.push(mails().length);
    }
    expect(sent).toEqual([0, 0, 0, 1, 1, 1, 1, 1, 1, 1, 2]);
    const [first, second] = mails();
    expect(first).toMatchObject({ TopicArn: TOPIC, Subject: 'Audit archive until 2026-06-15: all good' });
    expect(first?.Message).toContain('main: good. 7 events since the archive began (0 late, 3 quarantined, 4 runs)');
    expect(second?.Message).toContain(
      'main: SILENT. 0 events since 2026-06-15 03:00 (0 late, 0 quarantined, 0 runs), 7 in',
    );
  });

  const refusal = { name: 'AuthorizationErrorException', $metadata: { httpStatusCode: 403 } };
  test.each([
    ['SNS refuses the mail', TOPIC, refusal, 'mail-refused'],
    ['SNS does not answer', TOPIC, { name: 'TimeoutError' }, 'storage-unavailable'],
    ['no topic is configured', '', refusal, 'environment-invalid'],
  ])('%s: every team has its anchor and the metric of a good verification, and the run fails loudly', async (_, topic, answer, code) => {
    sns.on(PublishCommand).rejects(Object.assign(new Error(), answer));
    process.env.ALARM_TOPIC = topic;
    const stored = await bucketOf(TEN, () => undefined);
    const { result, isVerified, logged } = await runOn(MONDAY);
    expect(String(result)).toContain(`the weekly mail was not sent: ${code}: `);
    expect(logged).toContain('"level":"ERROR","message":"mail"');
    expect(isVerified).toBe(true);
    expect([...stored.keys()].filter((key) => key.startsWith('anchors/'))).toHaveLength(TEN.length);
  });
});
