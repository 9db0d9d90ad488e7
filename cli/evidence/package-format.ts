/**
 * The evidence package: one folder that holds a team's manifests, the segments of a period, and what was asked about them. It
 * stands on its own: `verify.mjs` in it needs only Node. `evidence.json` names the hash of each other file, the newest manifest and the
 * public key, and nobody signs it. Its own SHA-256 therefore stands for the whole package: the company sends it to the auditor apart
 * from the folder. Everything under `archive/` is proven by the manifests' signatures, but for the end of the chain.
 */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import * as z from 'zod/mini';
import { tryParse } from '../../lambdas/shared/json';
import { readSegmentKey, seqOfManifestKey, TEAM_PATTERN } from '../../lambdas/shared/object-keys';
import { isCanonicalInstant } from '../../lambdas/shared/time';

export const SEND_APART =
  'Send the auditor this SHA-256 of the package by another way than the folder, such as by mail:';
export const UNCOMPARED =
  'Without that comparison, the CSV files, the report and the end of the chain are only as trustworthy as whoever handed over the folder.';
export const EVIDENCE_FORMAT = 'postman-audit-archive-evidence/1';

const sha256Hex = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const date = z.string().check(z.refine((value) => isCanonicalInstant(`${value}T00:00:00.000Z`)));

const evidence = z
  .object({
    format: z.literal(EVIDENCE_FORMAT),
    team: z.string().check(z.regex(TEAM_PATTERN)),
    /** UTC dates, both included. */
    from: date,
    to: date,
    /** ISO 8601, UTC. */
    made: z.string().check(z.refine(isCanonicalInstant)),
    /** The version of audit-archive that made the package. */
    version: z.string(),
    /** SHA-256 of the public key (SPKI) with which the archive was verified. */
    keyid: sha256Hex,
    /** The newest manifest in the package. */
    head: z.object({ seq: z.int().check(z.minimum(1)), sha256: sha256Hex }),
    /** How many findings the archive had when the package was made. The report lists them. */
    findings: z.int().check(z.minimum(0)),
    /** SHA-256 of each file outside of `archive/`, by its path in the package with `/`. */
    files: z.record(z.string(), sha256Hex),
  })
  .check(z.refine(({ from, to }) => from <= to));

export type Evidence = z.infer<typeof evidence>;

/** Whether an object of the archive belongs into the package of a period, by its key. */
export function belongs(key: string, { from, to }: Pick<Evidence, 'from' | 'to'>): boolean {
  const [area = '', folder = ''] = key.split('/');
  if (area === 'manifests') return seqOfManifestKey(folder.replace('team=', ''), key) !== undefined;
  const segment = readSegmentKey(key);
  return segment?.date !== undefined && from <= segment.date && segment.date <= to;
}

export async function hashFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  await pipeline(createReadStream(file), hash);
  return hash.digest('hex');
}

/** The places in a package. */
export function packagePaths(folder: string) {
  return {
    archive: join(folder, 'archive'),
    answers: join(folder, 'answers'),
    anchors: join(folder, 'anchors.json'),
    events: join(folder, 'events.csv'),
    evidence: join(folder, 'evidence.json'),
    publicKey: join(folder, 'public-key.pem'),
    report: join(folder, 'report.html'),
    verifier: join(folder, 'verify.mjs'),
  };
}

/** Throws an error if the folder holds no package. `evidence.json` is written last, so an unfinished package has none. */
export async function readEvidence(folder: string): Promise<Evidence> {
  const file = packagePaths(folder).evidence;
  const { success, data } = evidence.safeParse(tryParse(await readFile(file, 'utf8')));
  if (success) return data;
  throw new Error(
    `${file} does not describe an evidence package of format 1: use the verifier that came with the package`,
  );
}
