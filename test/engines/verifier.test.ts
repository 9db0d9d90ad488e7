/**
 * The verifier on moto: its handler from the first anchor to a finding, and what it sees of versions and locks: delete
 * markers, versions on top of each other, and the lock of each object. moto lets an owner shorten a lock, which AWS does not
 * allow.
 */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { DeleteObjectCommand, PutObjectCommand, PutObjectRetentionCommand, type S3Client } from '@aws-sdk/client-s3';
import { CreateTopicCommand, SubscribeCommand } from '@aws-sdk/client-sns';
import type { Context } from 'aws-lambda';
import { openFolders } from '../../lambdas/adapters/s3-versions';
import { archiveMetrics, teamMetrics } from '../../lambdas/shared/alarms';
import { DAY_MS } from '../../lambdas/shared/time';
import { handler } from '../../lambdas/verifier/handler';
import { verify } from '../../lambdas/verifier/verify';
import { buildArchive, sampleBatches, testKey, testSigner } from '../support/archive-builder';
import { datapointsIn } from '../support/emf';
import { scratch } from '../support/scratch';
import { keyOf, listed, shortened } from '../support/tampering';
import { createLockedBucket, s3ClientOf, snsClientOf } from './clients';
import { type AwsServer, describeWith, REGION, startMoto, stopServers } from './servers';

const PREFIXES = ['batches/', 'events/', 'quarantine/', 'manifests/'];
const retention = { mode: 'GOVERNANCE', days: 400, expireAfterDays: null } as const;

/** A server to which SNS posts what is published. */
async function startSubscriber() {
  const posted: { readonly Type: string; readonly Subject?: string; readonly Message: string }[] = [];
  const server = createServer(async (request, response) => {
    posted.push(JSON.parse(await text(request)));
    response.end();
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/`,
    mails: () => posted.filter(({ Type }) => Type === 'Notification'),
    stop: () => server.close(),
  };
}

describeWith(['moto'], 'on moto', () => {
  let moto: AwsServer;
  let s3: S3Client;
  let buckets = 0;

  beforeAll(async () => {
    moto = await startMoto();
    s3 = s3ClientOf(moto);
  }, 120_000);
  afterAll(async () => {
    s3.destroy();
    await stopServers();
  });

  /** A bucket with the sample archive, each object locked for as long as its manifest promises. */
  async function archiveIn(days = 400): Promise<string> {
    buckets += 1;
    const Bucket = `versions-${buckets}`;
    await createLockedBucket(s3, Bucket);
    const now = Date.now();
    const amend = (manifest: Parameters<NonNullable<(typeof sampleBatches)[0]['amend']>>[0]) => ({
      ...manifest,
      retention,
    });
    const objects = await buildArchive({ batches: sampleBatches.map((batch) => ({ ...batch, amend })) });
    for (const [Key, Body] of objects) {
      const lock = { ObjectLockMode: 'GOVERNANCE', ObjectLockRetainUntilDate: new Date(now + days * DAY_MS) } as const;
      await s3.send(new PutObjectCommand({ Bucket, Key, Body, ...lock, ChecksumAlgorithm: 'SHA256' }));
    }
    return Bucket;
  }

  async function verified(Bucket: string) {
    const folders = await openFolders(s3, Bucket, PREFIXES);
    const { findings } = await verify(folders, { publicKey: testKey, now: new Date() });
    return { said: shortened(findings), versions: folders.versions, writtenAt: folders.writtenAt(keyOf('M4')) };
  }

  test('an archive in its bucket is good, and has one version of each object', async () => {
    const { writtenAt, ...found } = await verified(await archiveIn());
    expect(found).toEqual({ said: [], versions: { hidden: [], several: [] } });
    expect(Date.now() - writtenAt.getTime()).toBeLessThan(DAY_MS);
  });

  test.each<[string, (Bucket: string) => Promise<unknown>, string, object]>([
    [
      'a segment under a delete marker is missing',
      (Bucket) => s3.send(new DeleteObjectCommand({ Bucket, Key: keyOf('E2b') })),
      'segment-missing E2b',
      { hidden: [keyOf('E2b')], several: [] },
    ],
    [
      'a segment under a foreign version is not as committed',
      (Bucket) => s3.send(new PutObjectCommand({ Bucket, Key: keyOf('E2b'), Body: 'x', ChecksumAlgorithm: 'SHA256' })),
      'lock-weaker E2b, segment-malformed E2b',
      { hidden: [], several: [keyOf('E2b')] },
    ],
    [
      'an object whose lock ends earlier than its manifest promises is named',
      (Bucket) => {
        const Retention = { Mode: 'GOVERNANCE', RetainUntilDate: new Date(Date.now() + DAY_MS) } as const;
        const asOwner = { BypassGovernanceRetention: true, Retention };
        return s3.send(new PutObjectRetentionCommand({ Bucket, Key: keyOf('B2'), ...asOwner }));
      },
      'lock-weaker B2',
      { hidden: [], several: [] },
    ],
  ])('%s', async (_, tamper, findings, versions) => {
    const bucket = await archiveIn();
    await tamper(bucket);
    const found = await verified(bucket);
    expect(found.said.sort()).toEqual(listed(findings).sort());
    expect(found.versions).toEqual(versions);
  });

  describe('the handler', () => {
    let bucket: string;
    const logged: string[] = [];

    beforeAll(async () => {
      bucket = await archiveIn();
      const publicPem = join(scratch, 'verifier.pub.pem');
      writeFileSync(publicPem, testSigner.publicPem);
      const { url, credentials } = moto;
      Object.assign(process.env, {
        AWS_ENDPOINT_URL: url,
        AWS_REGION: REGION,
        AWS_ACCESS_KEY_ID: credentials.accessKeyId,
        AWS_SECRET_ACCESS_KEY: credentials.secretAccessKey,
        ARCHIVE_BUCKET: bucket,
        SIGNING_KEY: `file:${publicPem}`,
      });
    });

    /** Runs the handler. Returns its summary and the metrics that it emitted. */
    async function run(input = {}) {
      logged.length = 0;
      for (const stream of [process.stdout, process.stderr])
        jest.spyOn(stream, 'write').mockImplementation((chunk) => logged.push(...String(chunk).split('\n')) > 0);
      const summary = await handler(input, { getRemainingTimeInMillis: () => 900_000 } as Context);
      return { summary, metrics: Object.fromEntries(datapointsIn(logged).map(({ name, value }) => [name, value])) };
    }

    const anchors = async () => (await openFolders(s3, bucket, ['anchors/'])).list('');

    test('the first run writes an anchor, and each further one writes another', async () => {
      const first = await run();
      expect(first.summary).toMatchObject({ outcome: 'good', teams: [{ team: 'main', outcome: 'good', seq: 4 }] });
      expect(first.metrics).toMatchObject({
        [archiveMetrics.verified]: 1,
        [teamMetrics.manifestAge]: expect.any(Number),
      });
      expect(first.metrics).not.toHaveProperty(archiveMetrics.integrity);
      expect((await run()).summary.outcome).toBe('good');
      expect(await anchors()).toHaveLength(2);
    });

    test('on a Monday it sends the weekly mail, which arrives at a subscriber of the topic as it was written', async () => {
      const sns = snsClientOf(moto);
      const { TopicArn = '' } = await sns.send(new CreateTopicCommand({ Name: 'alarms' }));
      const subscriber = await startSubscriber();
      await sns.send(new SubscribeCommand({ TopicArn, Protocol: 'http', Endpoint: subscriber.url }));
      process.env.ALARM_TOPIC = TopicArn;
      await run({ scheduledTime: '2026-06-15T03:00:00Z' });
      subscriber.stop();
      sns.destroy();
      const [mail, ...others] = subscriber.mails();
      expect(others).toEqual([]);
      expect(mail).toMatchObject({ TopicArn, Subject: expect.stringMatching(/^Audit archive until [\d-]{10}: /) });
      expect(mail?.Message).toContain(`s3://${bucket}`);
      expect(mail?.Message).toContain('{"team":"main","seq":4,"sha256":"');
    });

    test('a copy of the bucket is good with its anchors, and a chain that contradicts them is not', async () => {
      const folders = await openFolders(s3, bucket, [...PREFIXES, 'anchors/']);
      const options = { publicKey: testKey, now: new Date() };
      expect((await verify(folders, options)).findings).toEqual([]);
      const list = async (prefix: string) =>
        (await folders.list(prefix)).filter((key) => !/000000000[34]/.test(key) || key.startsWith('anchors/'));
      const cut = await verify({ ...folders, list }, options);
      expect(shortened(cut.findings)).toContain('chain-truncated M4');
    });

    test('a hidden segment is a finding on the next day and on each further one, and no anchor covers it', async () => {
      await s3.send(new DeleteObjectCommand({ Bucket: bucket, Key: keyOf('E1b') }));
      for (const _ of ['the next day', 'the day after']) {
        const { summary, metrics } = await run();
        expect(summary).toMatchObject({
          outcome: 'findings',
          teams: [{ team: 'main', outcome: 'findings', findings: 1 }],
        });
        expect(metrics).toMatchObject({ [archiveMetrics.integrity]: 1 });
        expect(metrics).not.toHaveProperty(archiveMetrics.verified);
        expect(logged.join()).toContain(`"object":"${keyOf('E1b')}"`);
      }
      expect(await anchors()).toHaveLength(3);
    });

    test('an anchor whose bytes are those of another one is a finding', async () => {
      const folders = await openFolders(s3, bucket, ['anchors/']);
      const [one = '', other = ''] = await folders.list('');
      const Body = (await folders.get(one)) ?? '';
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key: other, Body, ChecksumAlgorithm: 'SHA256' }));
      await run();
      expect(logged.join()).toContain(`"code":"anchor-unreadable","team":"main","object":"${other}"`);
    });

    test('the folder of a team that nobody archives is a finding, and the other team is verified all the same', async () => {
      const Key = keyOf('E1a').replace('main', 'planted');
      await s3.send(new PutObjectCommand({ Bucket: bucket, Key, Body: 'x', ChecksumAlgorithm: 'SHA256' }));
      const { summary } = await run();
      expect(summary.teams.map(({ team, outcome }) => `${team} ${outcome}`).sort()).toEqual([
        'main findings',
        'planted findings',
      ]);
      expect(logged.join()).toContain('team-without-manifests');
    });
  });
});
