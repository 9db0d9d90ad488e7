/** Runs the command `audit-archive verify` on an archive, with real files and a real key file, and returns its output. */

import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openFolder } from '../../cli/folder';
import { runVerify, type VerifyFlags } from '../../cli/verify';
import type { Finding } from '../../lambdas/verifier/findings';
import type { SavedHead } from '../../lambdas/verifier/tally';
import type { Verification } from '../../lambdas/verifier/verify';
import { type Objects, testSigner, writeObjects } from './archive-builder';

export interface Judgement extends Verification {
  readonly exitCode: number;
  readonly clean: boolean;
  /** `code object` of each finding, in order, for tests to compare. */
  readonly said: readonly string[];
}

/** A time long after the archives that the builder makes. */
export const NOW = new Date('2027-01-01T00:00:00.000Z');

export async function judge(objects: Objects, heads?: readonly SavedHead[], now = NOW): Promise<Judgement> {
  return inFolder(async (folder) => {
    writeObjects(objects, join(folder, 'archive'));
    if (heads) writeFileSync(join(folder, 'heads.json'), JSON.stringify(heads));
    const printed: string[] = [];
    const flags: VerifyFlags = {
      key: join(folder, 'public.pem'),
      json: true,
      ...(heads && { head: join(folder, 'heads.json') }),
    };
    const exitCode = await runVerify(await openFolder(join(folder, 'archive')), flags, {
      print: (text) => printed.push(text),
      now,
    });
    const document: Verification & { clean: boolean } = JSON.parse(printed.join(''));
    return { ...document, exitCode, said: document.findings.map(saying) };
  });
}

export function saying({ code, object }: Finding): string {
  return `${code} ${object}`;
}

/** Lends a folder that holds `public.pem`, and removes it afterwards. */
export async function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'archive-'));
  try {
    writeFileSync(join(folder, 'public.pem'), testSigner.publicPem);
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
