/**
 * A scenario: the bundled handler in a process of its own, against a source and AWS servers over real sockets. It knows
 * nothing of them but its environment, `AWS_ENDPOINT_URL_*` and its input. Whatever happens in a scenario, it ends with
 * every event archived once, a verifier that finds nothing, and no secret anywhere.
 */
import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { archiverEnvironment } from '../../lambdas/shared/contract';
import { encodeEnvironment, type Values } from '../../lambdas/shared/env';
import { awsEnvironment } from '../../local/lambda-process';
import type { SourceSettings } from '../../local/postman/source-settings';
import { type Backend, type OpenBackend, type Owner, ownerOf } from './backend';
import { type Ended, type Lambda, type RunChange, scratch, startLambda } from './lambda';
import { expectEverythingOnce, expectNoSecrets, expectVerified } from './stored-lines';
import { type Call, type Meddler, type Service, type TapOptions, tap } from './tap';
import { BODY_CANARY, startTeamLog, type TeamLog } from './team-log';

export const TEAM = 'main';
export const PARAMETER = '/postman-audit-archive/main/api-key';

export interface Scenario {
  readonly name: string;
  readonly shape?: SourceSettings['shape'];
  readonly source?: Partial<SourceSettings>;
  readonly environment?: Partial<Values<typeof archiverEnvironment>>;
  readonly play: (world: World) => Promise<void>;
}

export interface World {
  readonly source: TeamLog;
  readonly owner: Owner;
  /** Every call of every run so far. */
  readonly calls: readonly Call[];
  /** A scheduled run; warm, as long as the process lives. */
  run(change?: RunChange): Promise<Ended>;
  /** The process of `run`. */
  lambda(): Promise<Lambda>;
  /** A second one beside it. */
  another(environment?: Scenario['environment']): Promise<Lambda>;
  /** From now on this watches and breaks the calls of all of them. */
  meddle(meddler: Meddler): void;
  /** The lease of a run that died ends. */
  leaseEnds(): Promise<void>;
  /** The oracle, which is asked at the end of every scenario anyway. */
  expectWhole(): Promise<void>;
  close(): Promise<void>;
}

export async function play(scenario: Scenario, openBackend: OpenBackend): Promise<void> {
  const world = await openWorld(scenario, openBackend);
  try {
    await scenario.play(world);
    await world.expectWhole();
  } finally {
    await world.close();
  }
}

/** One test for each, some at a time: most of what a scenario takes is waiting. */
export function playAll(scenarios: readonly Scenario[], openBackend: OpenBackend): void {
  test.concurrent.each(scenarios)('$name', (scenario) => play(scenario, openBackend), 300_000);
}

export async function openWorld(scenario: Omit<Scenario, 'name' | 'play'>, openBackend: OpenBackend): Promise<World> {
  const backend = await openBackend();
  const owner = ownerOf(backend, TEAM);
  const apiKey = `PMAK-canary-${randomUUID()}`;
  await owner.putKey(PARAMETER, apiKey);
  const { shape = 'reality', source: settings = {} } = scenario;
  const source = await startTeamLog({ shape, apiKey, settings });
  const calls: Call[] = [];
  const said: string[] = [];
  let meddler: Meddler = {};
  const taps = await openTaps(
    { ...backend.urls, source: source.url },
    { meddler: () => meddler, onCall: (call) => calls.push(call) },
  );
  const { publicKey, signingKey } = signingWith(backend);
  const input = { team: TEAM, apiKeyParameter: PARAMETER, baseUrl: taps.urls.source };
  const lambdas: Lambda[] = [];

  async function another(change: Scenario['environment'] = {}): Promise<Lambda> {
    const values = { ...settingsFor(backend, signingKey), ...scenario.environment, ...change };
    const environment = {
      ...awsEnvironment(taps.urls, backend.credentials.accessKeyId),
      AWS_SECRET_ACCESS_KEY: backend.credentials.secretAccessKey,
      ...(backend.kms !== undefined && { AWS_ENDPOINT_URL_KMS: backend.kms.url }),
      ...encodeEnvironment(archiverEnvironment, values),
      POWERTOOLS_LOG_LEVEL: 'DEBUG',
    };
    const lambda = await startLambda({ environment, input, onLine: (line) => said.push(line) });
    lambdas.push(lambda);
    return lambda;
  }

  let current: Promise<Lambda> | undefined;
  async function lambda(): Promise<Lambda> {
    if (current === undefined || !(await current).isAlive()) current = another();
    return current;
  }

  async function expectWhole(): Promise<void> {
    const objects = await owner.objects();
    expect(source.violations()).toEqual([]);
    expectEverythingOnce(objects, { lines: source.servedLines(), visible: source.visible(), unfit: source.unfit });
    await expectVerified(objects, publicKey);
    const texts = [...said, ...calls.map(({ body }) => body), JSON.stringify((await owner.item()) ?? {})];
    expectNoSecrets(texts, objects, { apiKeys: ['PMAK-canary'], body: BODY_CANARY });
  }

  return {
    source,
    owner,
    calls,
    run: async (change) => (await lambda()).run(change),
    lambda,
    another,
    meddle: (next) => {
      meddler = next;
    },
    leaseEnds: async () => {
      if ((await owner.item())?.leaseUntil !== undefined) await owner.setItem({ leaseUntil: { N: '1' } });
    },
    expectWhole,
    close: async () => {
      await Promise.all(lambdas.map(({ close }) => close()));
      await taps.close();
      owner.close();
      await Promise.all([source.close(), backend.close()]);
    },
  };
}

type Urls = Readonly<Record<Service, string>>;

async function openTaps(urls: Urls, options: TapOptions) {
  const open = (service: Service) => tap(service, urls[service], options);
  const taps = {
    s3: await open('s3'),
    dynamodb: await open('dynamodb'),
    ssm: await open('ssm'),
    source: await open('source'),
  };
  const { s3, dynamodb, ssm, source } = taps;
  return {
    urls: { s3: s3.url, dynamodb: dynamodb.url, ssm: ssm.url, source: source.url },
    close: async () => void (await Promise.all(Object.values(taps).map(({ close }) => close()))),
  };
}

function settingsFor({ bucket, table }: Backend, signingKey: string): Values<typeof archiverEnvironment> {
  return { bucket, table, signingKey, lookbackHours: 6, maxRequestsPerMinute: 100_000, retention: null };
}

function signingWith({ kms }: Backend): { readonly publicKey: KeyObject; readonly signingKey: string } {
  if (kms !== undefined) return { publicKey: kms.publicKey, signingKey: kms.key };
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = join(scratch, `${randomUUID()}.pem`);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { publicKey, signingKey: `file:${file}` };
}
