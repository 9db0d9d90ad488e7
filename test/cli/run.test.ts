import { describeRun, type Invoked, runTeam } from '../../cli/run';
import type { RunSummary } from '../../lambdas/shared/contract';
import { buildArchive, type Objects, readerOf, sampleBatches, walkStartOf } from '../support/archive-builder';
import { aManifest } from '../support/manifest';

const summary: RunSummary = {
  ...{ outcome: 'archived', team: 'main', runId: 'r', manifests: 1, seq: 7, throttled: 0, durationMs: 2400 },
  ...{ position: '2026-06-12T12:00:00.000Z', counts: aManifest().counts, gaps: 0 },
};

test.each<[string, Invoked, RegExp]>([
  [
    'archived',
    { summary },
    /^Archived 1 new event, 0 of them late, up to 2026-06-12T12:00:00.000Z, in 3 requests and 2 s. Newest manifest: 7.$/,
  ],
  ['archived with a gap', { summary: { ...summary, gaps: 1 } }, /\n1 gap: time that Postman had forgotten/],
  ['drifted', { summary: { ...summary, detail: '9 of 9 lines lack an id' } }, /\n9 of 9 lines lack an id$/],
  ['held', { summary: { ...summary, outcome: 'held' } }, /^Another run of this team is at work.*Nobody must act/],
  ['race', { summary: { ...summary, outcome: 'race' } }, /^Another run committed first.*Nobody must act/],
  [
    'not configured',
    { summary: { ...summary, outcome: 'not-configured', detail: 'store it' } },
    /^Nothing was archived: store it$/,
  ],
  [
    'failed for what a person must mend',
    { code: 'api-key-refused', failure: 'the key was refused' },
    /^The run failed with api-key-refused: the key was refused\nMend: make a new key .*\n.* docs\/runbook.md#api-key-refused\. .*the next run goes on/,
  ],
  [
    'failed for what mends itself',
    { code: 'source-unavailable', failure: 'no answer' },
    /^The run failed with source-unavailable: no answer\nNobody must act yet: .*#source-unavailable/s,
  ],
  [
    'ended by Lambda',
    { code: 'Sandbox.Timedout', failure: 'timed out' },
    /^The run failed with Sandbox.Timedout: timed out\nMend: .*docs\/runbook.md#unexpected\./s,
  ],
])('a run that ended as %s is told in words, with what to do', (_name, invoked, words) => {
  expect([...describeRun(invoked)].join('\n')).toMatch(words);
});

describe('the command run', () => {
  const environment = { ARCHIVE_BUCKET: 'archive' };
  const archiver = { arn: 'arn:archiver', environment, lastModified: '' };

  interface World {
    readonly objects?: Objects;
    readonly wait?: () => Promise<unknown>;
    readonly isDeployed?: boolean;
    /** The deployed teams. Where they are given, no team is named. */
    readonly teams?: readonly string[];
  }

  async function run(invoked: Invoked | Error, world: World = {}) {
    const [printed, noted, inputs]: [string[], string[], unknown[]] = [[], [], []];
    const { objects = new Map(), wait = async () => undefined, isDeployed = true, teams } = world;
    const exitCode = await runTeam(
      { stage: 'prod', ...(teams === undefined && { team: 'main' }) },
      {
        openAccount: async () =>
          ({
            region: async () => 'eu-central-1',
            functionOf: async (role: string) =>
              isDeployed && role === 'postman-archive-archiver-eu-central-1' ? archiver : undefined,
            schedulesOf: async (arn: string) => (arn === archiver.arn ? teams : []),
          }) as never,
        openBucket: async () => readerOf(objects),
        invoke: async (...input) => {
          inputs.push(input);
          await wait();
          if (invoked instanceof Error) throw invoked;
          return invoked;
        },
        print: (text) => printed.push(text),
        note: (text) => noted.push(text),
        now: new Date('2026-06-12T12:00:00.000Z'),
      },
    );
    return { exitCode, printed, noted, inputs };
  }

  test('the deployed archiver gets the input that its schedule would send', async () => {
    const { inputs } = await run({ summary });
    expect(inputs).toEqual([['arn:archiver', { team: 'main', scheduledTime: '2026-06-12T12:00:00.000Z' }]]);
  });

  test.each<[string, Invoked, number]>([
    ['archived', { summary }, 0],
    ['was held', { summary: { ...summary, outcome: 'held' } }, 0],
    ['had no key', { summary: { ...summary, outcome: 'not-configured' } }, 1],
    ['failed', { code: 'unexpected', failure: 'x' }, 1],
  ])('the exit code of a run that %s is right', async (_name, invoked, exitCode) => {
    expect(await run(invoked)).toMatchObject({ exitCode });
  });

  test('where only one team is deployed, it need not be named', async () => {
    const { exitCode, inputs } = await run({ summary }, { teams: ['sales'] });
    expect([exitCode, inputs]).toEqual([0, [['arn:archiver', expect.objectContaining({ team: 'sales' })]]]);
  });

  test.each([
    ['none is', [], 'none'],
    ['several are', ['main', 'sales'], 'main, sales'],
  ])('where %s deployed, a team must be named, and nothing is started', async (_, teams, listed) => {
    const { exitCode, noted, inputs } = await run({ summary }, { teams });
    expect([exitCode, inputs]).toEqual([2, []]);
    expect(noted).toEqual([`error: give --team, with one of the teams that are deployed: ${listed}`]);
  });

  test('while the run goes on, the position of each new manifest is told', async () => {
    jest.useFakeTimers();
    const later = await buildArchive({ batches: sampleBatches });
    const objects: Objects = new Map([...later].filter(([key]) => !key.endsWith('4.json')));
    const wait = async () => {
      await jest.advanceTimersByTimeAsync(5_000);
      for (const [key, bytes] of later) objects.set(key, bytes);
      await jest.advanceTimersByTimeAsync(10_000);
      objects.set('manifests/team=main/0000000005.json', Buffer.from('garbage'));
      await jest.advanceTimersByTimeAsync(5_000);
    };
    const { noted } = await run({ summary }, { objects, wait });
    jest.useRealTimers();
    expect(noted.slice(1)).toEqual([`  archived up to ${walkStartOf(4).toISOString()}`]);
  });

  test('a run that could not be started is an error, and so is a stage that is not deployed', async () => {
    await expect(run(new Error('no answer'))).rejects.toThrow('no answer');
    await expect(run({ summary }, { isDeployed: false })).rejects.toThrow(
      /stage prod is not deployed in eu-central-1.*Set AWS_REGION/,
    );
  });
});
