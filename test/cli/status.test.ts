/** The command `audit-archive status` on a copy, with real files. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { openFolder } from '../../cli/folder';
import { payloadOf } from '../../cli/sql-copy';
import { runStatus } from '../../cli/status';
import * as infra from '../../infra/expected';
import { encodeAnchor } from '../../lambdas/shared/anchor';
import { type Manifest, sha256 } from '../../lambdas/shared/manifest';
import { addMs, DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import { NO_COUNTS } from '../../lambdas/verifier/chain-counts';
import {
  buildArchive,
  createSigner,
  type Objects,
  sampleBatches,
  walkStartOf,
  writeObjects,
} from '../support/archive-builder';
import { inFolder } from '../support/judge';

const LAST = 'manifests/team=main/0000000004.json';
const soon = addMs(walkStartOf(4), HOUR_MS);

async function status(objects: Objects, { now = soon, key = true, json = true } = {}) {
  return inFolder(async (folder) => {
    writeObjects(objects, join(folder, 'archive'));
    const printed: string[] = [];
    const exitCode = await runStatus(
      join(folder, 'archive'),
      { stage: 'prod', json, ...(key && { key: join(folder, 'public.pem') }) },
      {
        openBucket: openFolder,
        openAccount: () => Promise.reject(new Error('a copy needs no account')),
        loadInfra: () => Promise.reject(new Error('a copy needs no template')),
        print: (text) => printed.push(text),
        note: () => undefined,
        now,
      },
    );
    return { exitCode, text: printed.join('\n') };
  });
}

async function problems(objects: Objects, options: Parameters<typeof status>[1] = {}) {
  const { exitCode, text } = await status(objects, options);
  const { teams } = JSON.parse(text);
  const found = teams.flatMap(({ needs }: { needs: { problem: string }[] }) => needs.map(({ problem }) => problem));
  expect(exitCode).toBe(found.length === 0 ? 0 : 1);
  return found;
}

const sample = () => buildArchive({ batches: sampleBatches });

function anchorTo(objects: Objects, { seq = 4, hash = '', verifiedAt = soon } = {}): [string, Buffer] {
  const manifest = objects.get(`manifests/team=main/${String(seq).padStart(10, '0')}.json`);
  const { key, body } = encodeAnchor({
    ...{ team: 'main', seq, sha256: hash || sha256(payloadOf(manifest ?? '')), keyid: 'a'.repeat(64) },
    verifiedAt: verifiedAt.toISOString(),
    scope: { after: 0, through: 0, sha256: null, roundBegan: verifiedAt.toISOString() },
    inventory: [],
    counts: NO_COUNTS,
    versions: { hidden: 0, several: 0 },
  });
  return [key, body];
}

test('a fresh copy needs nobody, and is told for people with its newest anchor', async () => {
  const objects = await sample();
  for (const anchor of [anchorTo(objects, { verifiedAt: walkStartOf(4) }), anchorTo(objects)]) objects.set(...anchor);
  expect(await problems(objects)).toEqual([]);
  const { text } = await status(objects, { json: false });
  expect(text).toContain('main: 4 manifests, 5 events today');
  expect(text).toContain(`verified ${soon.toISOString()} up to manifest 4, which is in the chain`);
  expect(text).toMatch(/\nGood: nothing needs a person\.$/);
  expect((await status(objects, { key: false })).text).toContain('signatures of the manifests were not checked');
});

test.each<[string, (objects: Objects) => void, RegExp]>([
  [
    'the head that was verified was replaced',
    (objects) => objects.set(...anchorTo(objects, { hash: 'b'.repeat(64) })),
    /does not hold manifest 4/,
  ],
  [
    'newer manifests were verified',
    (objects) => objects.set(...anchorTo(objects, { seq: 9, hash: 'b'.repeat(64) })),
    /does not hold manifest 9/,
  ],
  [
    'an anchor was changed',
    (objects) => objects.set(anchorTo(objects)[0], Buffer.from('{}')),
    /anchors\/.* is missing or changed/,
  ],
  [
    'a manifest is missing',
    (objects) => objects.delete('manifests/team=main/0000000002.json'),
    /0000000002.json is missing/,
  ],
  ['a manifest is not one', (objects) => objects.set(LAST, Buffer.from('{}')), /0000000004.json is missing or changed/],
])('the command status says that %s', async (_name, change, problem) => {
  const objects = await sample();
  change(objects);
  expect(await problems(objects)).toEqual([expect.stringMatching(problem)]);
});

test('a file that is no anchor is named, and the newest anchor is told all the same', async () => {
  const objects = await sample();
  objects.set(...anchorTo(objects)).set('anchors/team=main/zzz', Buffer.from('{}'));
  expect(await problems(objects)).toEqual([expect.stringMatching(/^anchors\/team=main\/zzz is missing or changed/)]);
  expect((await status(objects, { json: false })).text).toContain('up to manifest 4, which is in the chain');
});

test('with a key, manifests that another key has signed need a person', async () => {
  const foreign = await buildArchive({ batches: sampleBatches, signer: createSigner() });
  expect(await problems(foreign, { key: false })).toEqual([]);
  expect((await problems(foreign)).length).toBeGreaterThan(0);
});

test('a team that has not archived for longer than seven days and three hours needs a person', async () => {
  const objects = await sample();
  const finished = Date.parse((JSON.parse(String(payloadOf(objects.get(LAST) ?? ''))) as Manifest).run.finished);
  const silent = (ms: number) => problems(objects, { now: new Date(finished + ms) });
  expect(await silent(7 * DAY_MS + 3 * HOUR_MS)).toEqual([]);
  expect(await silent(7 * DAY_MS + 3 * HOUR_MS + 1)).toEqual(['no run has succeeded for 7 days']);
});

/** A deployment of which nothing can be asked but where its archiver is. */
async function ofDeployment(stage: string) {
  const arn = 'arn:aws:lambda:eu-central-1:111122223333:function:a';
  const refuse = () => Promise.reject(new Error('AWS answered AccessDenied'));
  const account = {
    region: async () => 'eu-central-1',
    functionOf: async (role: string) => ({
      arn,
      environment: role.includes('verifier') ? { ALARM_TOPIC: 'arn:t' } : {},
      lastModified: '',
    }),
    topicOf: refuse,
  };
  const [printed, noted]: [string[], string[]] = [[], []];
  const world = {
    openBucket: async () => ({ list: refuse, get: refuse }),
    openAccount: async () => account as never,
    loadInfra: async () => infra,
    print: (text: string) => printed.push(text),
    note: (text: string) => noted.push(text),
    now: soon,
  };
  return { exitCode: await runStatus(undefined, { stage }, world), text: printed.join('\n'), noted };
}

test('a cdk.json of another stage is refused, because every setting would look wrong', async () => {
  await expect(ofDeployment('dev')).rejects.toThrow(
    'cdk.json describes the stage prod, and not dev: give --stage prod',
  );
});

test('an archive that cannot be read needs a person, and the settings that may be the cause are checked all the same', async () => {
  const { exitCode, text, noted } = await ofDeployment('prod');
  expect(exitCode).toBe(1);
  expect(noted).toEqual(['Asking AWS about the stage prod, which may take half a minute.']);
  expect(text).toContain('! archive: could not be read (AWS answered AccessDenied)');
  expect(text).toContain('! signing key: could not be checked');
  expect(text).toContain('! alarms: could not be checked');
  expect(text).not.toContain('has another ALARM_TOPIC');
  expect(text).toMatch(
    /\nWhich alarms ring now: https:\/\/eu-central-1\.console\.aws\.amazon\.com\/.*#dashboards\/dashboard\/postman-audit-archive-eu-central-1$/m,
  );
  expect(text).toMatch(/NOT GOOD: a person must look at what is marked with ! above: \d+ things\.$/);
});

test('a folder without a manifest is an error, and not a good archive', async () => {
  await inFolder(async (folder) => {
    writeFileSync(join(folder, 'x'), '');
    await expect(status(new Map())).rejects.toThrow(/holds no manifest/);
  });
});
