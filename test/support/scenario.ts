/**
 * A world over real sockets: the bundled handler in a process of its own, a source server, and AWS servers. The handler
 * knows only its environment, `AWS_ENDPOINT_URL_*`, the settings beside its code, and its input. Every story in such a
 * world ends with the oracle: every event archived once, a verifier that finds nothing, and no secret anywhere.
 */

import { generateKeyPairSync, type KeyObject, randomUUID } from 'node:crypto';
import { cpSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Bundle, bundle } from '../../infra/bundle';
import { archiverEnvironment, TEAMS_FILE, type TeamSettings, writeTeams } from '../../lambdas/shared/contract';
import { encodeEnvironment } from '../../lambdas/shared/env';
import type { Retention } from '../../lambdas/shared/retention';
import { awsEnvironment } from '../../local/lambda-process';
import type { LocalRequest } from '../../local/server';
import { type Backend, type OpenBackend, ownerOf } from './backend';
import { type Lambda, type LambdaOptions, type RunChange, startLambda } from './lambda';
import { lineTroubles, quarantineTroubles, secretTroubles, type Trouble, verifierTroubles } from './oracle';
import { scratch } from './scratch';
import { type Call, type Meddler, type Service, tap } from './tap';
import { startTeamLog } from './team-log';
import type { Shape, SourceSettings } from './test-source';

export const PARAMETER = '/postman-audit-archive/main/api-key';
const TEAM = 'main';

export interface WorldSetup {
  readonly shape?: Shape;
  readonly source?: Partial<SourceSettings>;
  /** A function as it is deployed: its code, and its environment without the credentials and addresses of AWS. */
  readonly deployed?: { readonly handlerFile: string; readonly environment: Readonly<Record<string, string>> };
  readonly onRequest?: (service: Service, request: LocalRequest) => void;
  /** The retention that the manifests state; none by default, because most servers set no lock. */
  readonly retention?: Retention;
}

export interface Story extends WorldSetup {
  readonly name: string;
  readonly play: (world: World) => Promise<void>;
}

export type World = Awaited<ReturnType<typeof openWorld>>;

/** Plays each story as one test, some of them at a time, because a story mostly waits. */
export function playAll(stories: readonly Story[], openBackend: OpenBackend): void {
  test.concurrent.each(stories)('$name', (story) => inWorld(story, openBackend, story.play), 300_000);
}

/** Opens a world, asks the oracle when it was used, and closes it. */
export async function inWorld(
  setup: WorldSetup,
  openBackend: OpenBackend,
  use: (world: World) => Promise<void>,
): Promise<void> {
  const world = await openWorld(setup, openBackend);
  try {
    await use(world);
    await world.expectWhole();
  } finally {
    await world.close();
  }
}

export async function openWorld(setup: WorldSetup, openBackend: OpenBackend) {
  const { shape = 'reality', source: sourceSettings = {}, deployed, onRequest, retention = null } = setup;
  const backend = await openBackend();
  const owner = ownerOf(backend, TEAM);
  const apiKey = `PMAK-canary-${randomUUID()}`;
  await owner.putKey(PARAMETER, apiKey);
  const source = await startTeamLog({ shape, apiKey, settings: sourceSettings });
  const logged: string[] = [];
  const urls = { ...backend.urls, kms: backend.kms?.url ?? '', source: source.url };
  const taps = await openTaps(urls, onRequest);
  const { publicKey, signingKey } = signingWith(backend);
  const code = join(scratch, randomUUID());
  cpSync(dirname(deployed?.handlerFile ?? archiverBundle().file), code, { recursive: true });
  const settings = { apiKeyParameter: PARAMETER, baseUrl: taps.urls.source, startDate: null, acceptOtherTeamId: null };
  const configure = (change: Partial<TeamSettings>) =>
    writeFileSync(join(code, TEAMS_FILE), writeTeams([{ name: TEAM, ...settings, ...change }]));
  configure({});
  const processes = startProcesses({
    handlerFile: join(code, 'index.js'),
    environment: {
      ...awsEnvironment(taps.urls, backend.credentials.accessKeyId),
      AWS_SECRET_ACCESS_KEY: backend.credentials.secretAccessKey,
      AWS_ENDPOINT_URL_KMS: taps.urls.kms,
      ...(deployed?.environment ?? environmentFor(backend, signingKey, retention)),
    },
    input: { team: TEAM },
    onLine: (line) => logged.push(line),
  });

  /** What is wrong with the archive, by the oracle and the verifier. */
  async function troubles(): Promise<readonly Trouble[]> {
    const objects = await owner.objects();
    const texts = [...logged, ...taps.calls.map(({ body }) => body), JSON.stringify((await owner.item()) ?? {})];
    const evidence = { objects, ...source.evidence() };
    const found = [...lineTroubles(evidence), ...quarantineTroubles(evidence), ...secretTroubles(objects, texts)];
    for await (const trouble of verifierTroubles(objects, publicKey)) found.push(trouble);
    return found;
  }

  async function expectWhole(): Promise<void> {
    expect({ troubles: await troubles(), violations: source.violations }).toEqual({ troubles: [], violations: [] });
  }

  return {
    source,
    owner,
    /** Deploys other settings of the team. */
    configure,
    /** Every call of every run so far. */
    calls: taps.calls,
    /** One scheduled run. It is warm while the process of the run before is alive. */
    run: async (change?: RunChange) => (await processes.current()).run(change),
    /** The process in which `run` runs. */
    lambda: processes.current,
    another: processes.start,
    /** From now on, this watches and breaks the calls of all processes. */
    meddle: taps.meddle,
    /** Lets the lease of a run that died end now. */
    leaseEnds: async () => {
      if ((await owner.item())?.leaseUntil !== undefined) await owner.setItem({ leaseUntil: { N: '1' } });
    },
    troubles,
    expectWhole,
    close: async () => {
      await processes.close();
      await taps.close();
      owner.close();
      await Promise.all([source.close(), backend.close()]);
    },
  };
}

/** One bundle serves a whole test file. */
let bundled: Bundle | undefined;

function archiverBundle(): Bundle {
  bundled ??= bundle(join(scratch, 'bundle'), []);
  return bundled;
}

function startProcesses(options: LambdaOptions) {
  const started: Lambda[] = [];
  let latest: Promise<Lambda> | undefined;

  async function start(): Promise<Lambda> {
    const lambda = await startLambda(options);
    started.push(lambda);
    return lambda;
  }

  async function current(): Promise<Lambda> {
    if (latest === undefined || !(await latest).isAlive()) latest = start();
    return latest;
  }

  return { start, current, close: () => Promise.all(started.map(({ close }) => close())) };
}

type Urls = Readonly<Record<Service, string>>;

async function openTaps(urls: Urls, onRequest: WorldSetup['onRequest']) {
  const calls: Call[] = [];
  let meddler: Meddler = {};
  const open = (service: Service) =>
    tap(service, urls[service], {
      meddler: () => meddler,
      onCall: (call, request) => {
        calls.push(call);
        onRequest?.(service, request);
      },
    });
  const services = ['s3', 'dynamodb', 'ssm', 'kms', 'source'] as const;
  const taps = await Promise.all(services.map(open));
  return {
    urls: Object.fromEntries(services.map((service, index) => [service, taps[index]?.url])) as Urls,
    calls,
    meddle: (next: Meddler) => {
      meddler = next;
    },
    close: () => Promise.all(taps.map(({ close }) => close())),
  };
}

function environmentFor(
  { bucket, table }: Backend,
  signingKey: string,
  retention: Retention | null,
): Record<string, string> {
  const limits = { lookbackHours: 6, maxRequestsPerMinute: 100_000, retention };
  const values = { bucket, table, signingKey, encryptionKey: 'alias/archive', ...limits };
  return { ...encodeEnvironment(archiverEnvironment, values), POWERTOOLS_LOG_LEVEL: 'DEBUG' };
}

function signingWith({ kms }: Backend): { readonly publicKey: KeyObject; readonly signingKey: string } {
  if (kms !== undefined) return { publicKey: kms.publicKey, signingKey: kms.key };
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'prime256v1' });
  const file = join(scratch, `${randomUUID()}.pem`);
  writeFileSync(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return { publicKey, signingKey: `file:${file}` };
}
