/**
 * `npm start` in virtual time and in this process, with the same team, source, archiver and screen. The same starts print the
 * same text on every machine. `write-samples.ts` writes it into README and into the fixture of the tests.
 */
import { randomUUID } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { introduce, openDemoTeam, playDemo } from '../../cli/demo/demo';
import { openServedLines } from '../../cli/demo/equality';
import { archivePaths } from '../../cli/demo/local-archive';
import type { RunOnce } from '../../cli/demo/shown-runs';
import { archive } from '../../lambdas/archiver/archive';
import { BATCH_LIMITS } from '../../lambdas/archiver/batch';
import { totalOf } from '../../lambdas/archiver/totals';
import type { Manifest } from '../../lambdas/shared/manifest';
import { answerAsSource } from '../../local/postman/source-model';
import { LIVE_SERVICE } from '../../local/postman/source-settings';
import type { TeamFolder } from '../../local/postman/team-folder';
import { testSigner, writeObject } from './archive-builder';
import { memoryStore } from './memory-store';
import { aRun } from './run';
import { API_KEY, response, type Server, sourceKit } from './source-kit';
import { type VirtualClock, virtualClock } from './virtual-clock';

export const FIRST_START = '2025-06-30T14:00:00.000Z';
export const SECOND_START = '2025-07-01T10:30:00.000Z';
export const SECOND_START_TEXT = join(import.meta.dirname, '../fixtures/second-start.txt');
const README = join(import.meta.dirname, '../../README.md');
/** The first block after these words. */
const README_SAMPLE = /(compares it with what was served.*?\n```\n)(.*?\n)(```\n)/s;
const BETWEEN_RUNS_MS = 2000;

/** All starts go on with the archive in this folder. Each start returns its exit code, its text, and how many lines were served for the first time. */
export function openDemoWorld(folder: string) {
  const at = archivePaths(folder);
  const store = memoryStore();
  let isNew = true;

  async function start(instant: string, width = 80) {
    const clock = virtualClock({ start: instant });
    const printed: string[] = [];
    const screen = { width, print: (text: string) => printed.push(text) };
    const team = openDemoTeam(folder, clock.now(), 200);
    writeFileSync(at.publicKey, testSigner.publicPem);
    const served = openServedLines(at.served);
    const before = served.all.size;
    const run = inProcess({ team, clock, onServed: served.add });
    introduce(screen, isNew);
    isNew = false;
    const now = () => clock.now();
    const exitCode = await playDemo({ folder, screen, team, served: served.all, run, now });
    return {
      exitCode,
      added: served.all.size - before,
      // The SHA-256 of the package is another one each time, because the ids of runs are random.
      text: `${printed.join('\n').replaceAll(folder, '.archive/demo')}\n`.replace(/\b[0-9a-f]{64}\b/, 'e'.repeat(64)),
    };
  }

  function inProcess({ team, clock, onServed }: Source): RunOnce {
    const { source } = sourceKit(demoServer({ team, clock, onServed }), { clock });
    return async () => {
      const committed: Manifest[] = [];
      const onCommitted = (manifest: Manifest) => void committed.push(manifest);
      await archive(
        aRun({ id: randomUUID(), team: 'demo', store, source, clock, batchLimits: BATCH_LIMITS, onCommitted }),
      );
      for (const [key, bytes] of store.objects)
        if (!existsSync(join(at.bucket, key))) writeObject(at.bucket, key, bytes);
      clock.advance(BETWEEN_RUNS_MS);
      return { ok: true, result: { outcome: 'archived', ...totalOf(committed) } };
    };
  }

  return { start };
}

interface Source {
  readonly team: TeamFolder;
  readonly clock: VirtualClock;
  readonly onServed: (lines: readonly string[]) => void;
}

function demoServer({ team, clock, onServed }: Source): Server {
  return ({ url, headers }) => {
    const now = clock.now();
    team.playTo(now);
    const settings = { ...LIVE_SERVICE, apiKey: API_KEY };
    const query = { path: url.pathname, query: url.searchParams, headers };
    const answer = answerAsSource(query, { table: team.table, settings, now });
    onServed(answer.served.map(({ text }) => text));
    return response(answer.status, answer.body);
  };
}

/** The parts of a first start that README shows. */
export function readmeSample(text: string): string {
  const parts = text.split(/\n\n(?=[A-Z]{3,} )/);
  const [beginning = '', ...others] = parts;
  const shown = ['ARCHIVE', 'VERIFY', 'COMPARE', 'PROVED'];
  const kept = others.filter((part) => shown.some((heading) => part.startsWith(heading)));
  const proved = kept.pop() ?? '';
  return [beginning, ...kept, '...', proved].join('\n\n');
}

export function sampleInReadme(): string {
  return README_SAMPLE.exec(readFileSync(README, 'utf8'))?.[2] ?? '';
}

export function writeSampleInReadme(sample: string): void {
  const text = readFileSync(README, 'utf8');
  writeFileSync(
    README,
    text.replace(README_SAMPLE, (_, before, __, after) => `${before}${sample}${after}`),
  );
}
