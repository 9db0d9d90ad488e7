/**
 * Makes an evidence package: copies what belongs to it, verifies that, asks the queries, and writes the report. What a package says
 * is read from the archive in one go, and the finished package is verified once more with the verifier that it carries.
 */
import type { KeyObject } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { buildSync } from 'esbuild';
import { keyId } from '../../lambdas/shared/dsse';
import { sha256 } from '../../lambdas/shared/manifest';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import type { SavedHead } from '../../lambdas/verifier/tally';
import { type Verification, verify } from '../../lambdas/verifier/verify';
import { version } from '../../package.json';
import { exitCodes } from '../exit';
import { keyOf } from '../folder';
import { csvHead, csvRow } from '../query-output';
import { type CopySql, openCopySql } from '../sql';
import { askFacts, type Facts, type Period } from './facts';
import { EVIDENCE_FORMAT, type Evidence, hashFile, packagePaths } from './package-format';
import type { Question, Questions } from './questions';
import { type Answer, type Contents, writeReport } from './report';
import { copyEvidence, ofTeam, readAnchors } from './source';
import { verifyPackage } from './verify-package';

export interface EvidenceRequest extends Period {
  readonly reader: ArchiveReader;
  /** What `reader` reads, in words. */
  readonly source: string;
  readonly team: string;
  readonly out: string;
  readonly publicKey: KeyObject;
  readonly heads: readonly SavedHead[];
  readonly questions: Questions;
  readonly now: Date;
  /** Is told what is done next. */
  readonly onStep: (text: string) => void;
}

/** Throws an error if the folder is not empty, if there is no such team, or if the archive cannot be read. */
export async function makeEvidence(request: EvidenceRequest): Promise<Contents> {
  const { team, from, to, out, publicKey, now, questions, onStep } = request;
  const at = packagePaths(out);
  await openEmptyFolder(out);
  const source = await ofTeam(request.reader, team);
  if ((await source.list('manifests/')).length === 0) throw new Error(await noSuchTeam(request));

  onStep('copying the manifests, and the segments of the period');
  const reader = await copyEvidence(source, at.archive, request);
  onStep('verifying');
  const verification = await verifyTeamIn(reader, request);
  const [summary] = verification.teams;
  if (!summary?.head) throw new Error(`no manifest of team ${team} can be read: run "audit-archive verify" to see why`);

  onStep('asking the queries');
  let leftOut = 0;
  const days = { from: questions.historyFrom, to };
  const engine = await openCopySql(reader, request.source, {
    publicKey,
    ...days,
    now,
    onAltered: () => (leftOut += 1),
  });
  await mkdir(at.answers);
  const { answers, facts } = await askAll(engine, request).finally(() => engine.close());

  onStep('writing the report');
  const anchors = await readAnchors(source);
  const verifier = bundlePackageVerifier();
  await writeFile(at.verifier, verifier);
  await writeFile(at.anchors, `${JSON.stringify(anchors, null, 1)}\n`);
  await writeFile(at.publicKey, publicKey.export({ type: 'spki', format: 'pem' }));
  const clean = verification.findings.every(({ severity }) => severity !== 'finding');
  const about = { team, from, to, made: now.toISOString(), source: request.source, version, publicKey };
  const found = {
    clean,
    verification,
    summary,
    anchors,
    facts,
    answers,
    leftOut,
    verifierSha256: sha256(verifier),
    hasLocks: reader.lockOf !== undefined,
  };
  await writeFile(at.report, writeReport({ ...about, ...found }));
  const findings = verification.findings.filter(({ severity }) => severity === 'finding').length;
  await seal(out, { ...about, head: summary.head, findings });
  if (clean && (await verifyPackage(out, { now, print: () => undefined })) !== exitCodes.good)
    throw new Error(
      `the package in ${out} does not verify, although the archive did: it changed while it was read, or the disk is damaged`,
    );
  return { ...about, ...found };
}

async function openEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new Error(
      `${folder} is not empty: give --out the name of a new folder, so that nothing old becomes evidence`,
    );
}

async function noSuchTeam({ reader, team, source }: EvidenceRequest): Promise<string> {
  const teams = new Set(
    (await reader.list('manifests/')).map((key) => /^manifests\/team=([^/]+)\//.exec(key)?.[1] ?? '?'),
  );
  if (teams.size === 0) return `there is no archive in ${source}: a copy of the bucket contains a folder manifests/`;
  return `the archive contains no team ${team}; its teams are ${[...teams].join(', ')}`;
}

async function verifyTeamIn(
  reader: ArchiveReader,
  { team, from, to, publicKey, heads, now }: EvidenceRequest,
): Promise<Verification> {
  const ofThisTeam = heads.filter((head) => head.team === team);
  if (heads.length > 0 && ofThisTeam.length === 0) throw new Error(`the saved heads name no manifest of team ${team}`);
  const verification = await verify(reader, { publicKey, now, heads: ofThisTeam, scope: { kind: 'period', from, to } });
  const onlyTeam = `Only the folders of team ${team} were read, and nothing else in the archive.`;
  return { ...verification, notChecked: [...verification.notChecked, onlyTeam] };
}

async function askAll(engine: CopySql, request: EvidenceRequest): Promise<{ answers: Answer[]; facts: Facts }> {
  const { out, from, to, questions } = request;
  const answers: Answer[] = [];
  for (const question of questions.questions) answers.push(await answer(engine, out, question));
  await writeCsv(engine, packagePaths(out).events, eventsStatement(request));
  const completeness = questions.questions.find(({ query }) => query.name === 'completeness')?.statement ?? '';
  return { answers, facts: await askFacts(engine, completeness, { from, to }) };
}

async function answer(
  engine: CopySql,
  out: string,
  { query, parameters, statement, needs }: Question,
): Promise<Answer> {
  if (statement === undefined) return { query, parameters, outcome: { needs } };
  const file = `answers/${query.name}.csv`;
  return { query, parameters, outcome: { rows: await writeCsv(engine, join(out, file), statement), file } };
}

function eventsStatement({ from, to }: Period): string {
  const columns = `event_time, team, id, action, message, ip, user_agent, actor_id, actor_name, actor_username, actor_email,
  user_id, user_name, user_username, user_email, team_id, team_name, data, variables, late, archived_at, seq`;
  return `SELECT ${columns} FROM events WHERE dt BETWEEN '${from}' AND '${to}' ORDER BY event_time, id`;
}

/** Returns the number of rows. */
async function writeCsv(engine: CopySql, file: string, statement: string): Promise<number> {
  const { columns, rows } = await engine.stream(statement);
  let count = 0;
  async function* lines() {
    yield `${csvHead(columns)}\n`;
    for await (const some of rows) {
      count += some.length;
      yield some.map((row) => `${csvRow(row, columns)}\n`).join('');
    }
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
  return count;
}

/** An old Node must be able to parse the file, and must not end with the exit code of a finding. */
const VERIFIER_HEAD = `// Verifies an evidence package: node verify.mjs. From postman-audit-archive ${version} (Apache-2.0) and zod (MIT).
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
const [major, minor] = process.versions.node.split('.').map(Number);
if (major < 20 || (major === 20 && minor < 15)) {
  console.error('verify.mjs: Node ' + process.versions.node + ' is too old: install Node 20.15 or newer');
  process.exit(${exitCodes.failed});
}
const require = createRequire(import.meta.url);
const packageFolder = fileURLToPath(new URL('.', import.meta.url));
`;

/** The same version of the sources gives the same bytes on every machine. They are not minified, so that they can be read. */
export function bundlePackageVerifier(): Buffer {
  const { outputFiles } = buildSync({
    entryPoints: ['cli/evidence/verify-command.ts'],
    absWorkingDir: join(import.meta.dirname, '../..'),
    tsconfigRaw: '{}',
    bundle: true,
    write: false,
    platform: 'node',
    format: 'iife',
    target: 'node18',
    legalComments: 'none',
    // The command line is bundled too, and its bundler replaces the whole name.
    define: { [['import.meta', 'dirname'].join('.')]: 'packageFolder' },
    banner: { js: VERIFIER_HEAD },
    logLevel: 'warning',
  });
  return Buffer.concat(outputFiles.map(({ contents }) => contents));
}

interface Described extends Omit<Evidence, 'format' | 'keyid' | 'files' | 'head'> {
  readonly publicKey: KeyObject;
  readonly head: SavedHead;
}

/** Writes `evidence.json`, which makes the package complete. */
async function seal(
  out: string,
  { team, from, to, made, version, publicKey, head, findings }: Described,
): Promise<void> {
  const names = (await readdir(out, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => keyOf(out, join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('archive/'));
  const files: Record<string, string> = {};
  for (const name of names.sort()) files[name] = await hashFile(join(out, name));
  const { seq, sha256: ofHead } = head;
  const evidence: Evidence = {
    ...{ format: EVIDENCE_FORMAT, team, from, to, made, version, keyid: keyId(publicKey) },
    ...{ head: { seq, sha256: ofHead }, findings, files },
  };
  await writeFile(packagePaths(out).evidence, `${JSON.stringify(evidence, null, 1)}\n`);
}
