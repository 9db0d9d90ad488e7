/**
 * The oracle: what must hold of every archive at rest, whatever happened on the way. It knows what the source served,
 * byte for byte, and reads the archive with its own eyes; then it asks the verifier, which must find nothing.
 */
import { verify } from '../../lambdas/verifier/verify';
import { linesOf, manifestAt, type Objects } from '../support/stored';
import { chainOf } from './chain';
import { KEPT_MS, servedSince } from './events';
import type { Run } from './run';
import { Violation } from './witness';
import type { World } from './world';

/** Clocks tell whole seconds, and not all the same. */
const CLOCKS_DIFFER_MS = 3_000;

let calls = new Map<string, number>();

/** How often the oracle was asked, by the name of the test that asked. */
export function oracleCalls(): ReadonlyMap<string, number> {
  return calls;
}

export interface Expected {
  /** What is older cannot be in the archive. */
  readonly since?: number;
  /** How many events only the sweep can find. */
  readonly swept?: number | 'any';
}

/** Throws a `Violation` that names the check. */
export async function consultOracle(world: World, { since = 0, swept = 0 }: Expected = {}): Promise<void> {
  const test = expect.getState().currentTestName ?? '';
  calls = calls.set(test, (calls.get(test) ?? 0) + 1);
  const archived = linesUnder(world.objects, 'events/');
  const quarantined = linesUnder(world.objects, 'quarantine/');
  everyLineWasServed(world, [...archived, ...quarantined]);
  everyIdIsThereOnce(world, archived);
  nothingIsQuarantinedTwice(world, quarantined);
  nothingIsMissing(world, { archived, quarantined, since });
  theWalkLeftNothingToTheSweep(world, swept);
  hasComeToNow(world);
  noBodyInManifests(world);
  await theVerifierFindsNothing(world);
}

function linesUnder(objects: Objects, prefix: string): string[] {
  return [...objects.keys()].filter((key) => key.startsWith(prefix)).flatMap((key) => linesOf(objects.get(key)));
}

function everyLineWasServed(world: World, lines: readonly string[]): void {
  for (const line of lines) {
    if (world.eventOf(line) === undefined) throw new Violation('not-verbatim', 'a line was never served as it is');
  }
}

function everyIdIsThereOnce(world: World, archived: readonly string[]): void {
  const ids = new Set<string>();
  for (const line of archived) {
    const found = world.eventOf(line);
    if (found?.id == null || !found.isFit) throw new Violation('unfit', `row ${found?.row} is under events/`);
    if (ids.has(found.id)) throw new Violation('twice', `id ${found.id} is under events/ twice`);
    ids.add(found.id);
  }
}

/** Of one id, one line; without an id, each text once. */
function nothingIsQuarantinedTwice(world: World, quarantined: readonly string[]): void {
  const seen = new Set<string>();
  for (const line of quarantined) {
    const identity = world.eventOf(line)?.id ?? line;
    if (seen.has(identity)) throw new Violation('quarantined-twice', `row ${world.eventOf(line)?.row}`);
    seen.add(identity);
  }
}

interface Kept {
  readonly archived: readonly string[];
  readonly quarantined: readonly string[];
  readonly since: number;
}

function nothingIsMissing(world: World, { archived, quarantined, since }: Kept): void {
  const rows = (lines: readonly string[]) => new Set(lines.map((line) => world.eventOf(line)?.row));
  const ids = new Set(archived.map((line) => world.eventOf(line)?.id));
  const held = rows(quarantined);
  const { startedAt, endedAt } = lastThatEndedWell(world);
  for (const event of world.setup.events) {
    if (servedSince(event, endedAt) > startedAt || (event.at ?? since) < Math.max(since, world.now() - KEPT_MS))
      continue;
    const isKept = event.isFit ? ids.has(event.id) : held.has(event.row);
    if (!isKept) throw new Violation('lost', `row ${event.row} of ${new Date(event.at ?? 0).toISOString()}`);
  }
}

/**
 * The sweep would heal what the walk forgets, days later: so it may not find more than it must, but for what appeared
 * while a run was between the two.
 */
function theWalkLeftNothingToTheSweep(world: World, swept: number | 'any'): void {
  if (swept === 'any') return;
  const sweeps = chainOf(world).flatMap(({ sweep }) => sweep ?? []);
  const found = sweeps.reduce((sum, { late }) => sum + late, 0);
  const dates = new Set(sweeps.map(({ date }) => date));
  const isWithinRun = (instant: number) =>
    world.runs.some(({ startedAt, endedAt }) => startedAt < instant && instant <= endedAt);
  const appeared = world.setup.events.filter(
    ({ at, visibleFrom = 0, restoredAt = 0 }) =>
      at != null &&
      dates.has(new Date(at).toISOString().slice(0, 10)) &&
      (isWithinRun(visibleFrom) || isWithinRun(restoredAt)),
  );
  if (found < swept || found > swept + appeared.length) {
    throw new Violation('left-to-the-sweep', `the sweep found ${found} events`);
  }
}

/** The last run that ended well has seen everything up to its own beginning, and says so. */
function hasComeToNow(world: World): void {
  const position = Date.parse(chainOf(world).at(-1)?.position ?? '');
  if (position >= lastThatEndedWell(world).startedAt - CLOCKS_DIFFER_MS) return;
  throw new Violation('stuck', `the position is ${new Date(position).toISOString()}`);
}

/** What it did not read appeared since, or was gone before it came to it. */
function lastThatEndedWell({ runs }: World): Pick<Run, 'startedAt' | 'endedAt'> {
  const well = runs.filter(({ outcome }) => outcome?.kind === 'archived');
  return well.reduce((last, run) => (run.startedAt > last.startedAt ? run : last), { startedAt: 0, endedAt: 0 });
}

function noBodyInManifests({ objects }: World): void {
  for (const key of objects.keys()) {
    if (!key.startsWith('manifests/')) continue;
    if (JSON.stringify(manifestAt(objects, key)).includes('canary')) throw new Violation('canary', `${key} holds one`);
  }
}

async function theVerifierFindsNothing(world: World): Promise<void> {
  const { objects, publicKey } = world;
  const reader = {
    list: async (prefix: string) => [...objects.keys()].filter((key) => key.startsWith(prefix)).sort(),
    get: async (key: string, range?: { start: number; end: number }) =>
      objects.get(key)?.subarray(range?.start ?? 0, range?.end),
  };
  const { findings } = await verify(reader, { publicKey, now: new Date(world.now()) });
  const first = findings.find(({ code }) => code !== 'expired');
  if (first !== undefined) throw new Violation(`verifier:${first.code}`, `${first.object} ${first.detail}`);
}
