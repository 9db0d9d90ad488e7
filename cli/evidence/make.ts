/**
 * Makes an evidence package: copies what belongs to it, verifies that, asks the queries, and writes the report. The keys
 * of the archive are listed once, and each object is read once. The finished package is verified once more, by its own `verify.mjs`.
 */
import { spawnSync } from 'node:child_process';
import { mkdir, readdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { buildSync } from 'esbuild';
import { keyId } from '../../lambdas/shared/dsse';
import { sha256 } from '../../lambdas/shared/manifest';
import { graveOf } from '../../lambdas/verifier/findings';
import { verify } from '../../lambdas/verifier/verify';
import { version } from '../../package.json';
import { exitCodes } from '../exit';
import { keyOf } from '../folder';
import { teamOf } from '../sql-copy';
import { readAnchors } from '../verify-inputs';
import type { Contents, EvidenceRequest } from './contents';
import { EVIDENCE_FORMAT, type Evidence, hashFile, packagePaths } from './package-format';
import { askAll } from './questions';
import { writeReport } from './report';
import { copyEvidence, ofTeam } from './source';

/** Throws an error if the folder is not empty, if there is no such team, or if the archive cannot be read. */
export async function makeEvidence(request: EvidenceRequest) {
  const { team, from, to, out, publicKey, now, onStep } = request;
  await openEmptyFolder(out);
  const source = await ofTeam(request.reader, team);
  if ((await source.list('manifests/')).length === 0) throw new Error(await noSuchTeam(request));

  onStep('copying the manifests, and the segments of the period');
  const reader = await copyEvidence(source, packagePaths(out).archive, request);
  onStep('verifying');
  const whole = await verify(reader, { publicKey, now, heads: request.heads, scope: { kind: 'period', from, to } });
  const onlyTeam = `Only the folders of team ${team} were read, and nothing else in the archive.`;
  const verification = { ...whole, notChecked: [...whole.notChecked, onlyTeam] };
  const [summary] = verification.teams;
  if (!summary?.head || !summary.period)
    throw new Error(`no manifest of team ${team} can be read: run "audit-archive verify" to see why`);
  onStep('asking the queries');
  const asked = await askAll(reader, request);
  onStep('writing the report');
  const verifier = bundleVerifier();
  const contents: Contents = {
    ...{ team, from, to, made: now.toISOString(), source: request.source, version, publicKey, verification, summary },
    ...asked,
    ...{ head: summary.head, period: summary.period },
    clean: graveOf(verification.findings).length === 0,
    // The verification has a finding for each object that cannot be read as an anchor.
    anchors: await readAnchors(source, await source.list('anchors/')),
    verifierSha256: sha256(verifier),
    hasLocks: reader.lockOf !== undefined,
  };
  const packageSha256 = await writePackage(out, contents, verifier);
  if (contents.clean) verifyAsTheAuditor(out, packageSha256);
  return { ...contents, packageSha256 };
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

/**
 * The verifier and all that it needs, in one file. The same version of the sources gives the same bytes on every machine. They are not
 * minified, so that they can be read.
 */
function bundleVerifier(): Buffer {
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

/** `evidence.json`, which makes the package complete, comes last. Returns its SHA-256. */
async function writePackage(out: string, contents: Contents, verifier: Buffer): Promise<string> {
  const { team, from, to, made, publicKey, verification, head } = contents;
  const at = packagePaths(out);
  await writeFile(at.verifier, verifier);
  await writeFile(at.anchors, `${JSON.stringify(contents.anchors, null, 1)}\n`);
  await writeFile(at.publicKey, publicKey.export({ type: 'spki', format: 'pem' }));
  await writeFile(at.report, writeReport(contents));
  const names = (await readdir(out, { recursive: true, withFileTypes: true }))
    .filter((entry) => entry.isFile())
    .map((entry) => keyOf(out, join(entry.parentPath, entry.name)))
    .filter((name) => !name.startsWith('archive/'));
  const files: Record<string, string> = {};
  for (const name of names.sort()) files[name] = await hashFile(join(out, name));
  const evidence: Evidence = {
    ...{ format: EVIDENCE_FORMAT, team, from, to, made, version, keyid: keyId(publicKey) },
    ...{ head: { seq: head.seq, sha256: head.sha256 }, findings: graveOf(verification.findings).length, files },
  };
  const text = `${JSON.stringify(evidence, null, 1)}\n`;
  await writeFile(at.evidence, text);
  return sha256(text);
}

/** Throws an error where the verifier of the package does not call good what was verified a moment ago. */
function verifyAsTheAuditor(out: string, packageSha256: string): void {
  const command = [packagePaths(out).verifier, '--package', packageSha256];
  const { status, stdout, stderr } = spawnSync(process.execPath, command, { encoding: 'utf8' });
  if (status === exitCodes.good) return;
  throw new Error(
    `the package in ${out} does not verify, although the archive did: it changed while it was read, or the disk is damaged (${stdout}${stderr})`,
  );
}

async function openEmptyFolder(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true });
  if ((await readdir(folder)).length > 0)
    throw new Error(
      `${folder} is not empty: give --out the name of a new folder, so that nothing old becomes evidence`,
    );
}

async function noSuchTeam({ reader, team, source }: EvidenceRequest): Promise<string> {
  const teams = new Set((await reader.list('manifests/')).map(teamOf));
  if (teams.size === 0) return `there is no archive in ${source}: a copy of the bucket contains a folder manifests/`;
  return `the archive contains no team ${team}; its teams are ${[...teams].join(', ')}`;
}
