/**
 * `audit-archive evidence` writes a period's evidence as one folder that stands on its own: a report, the answers to the saved
 * queries, the signed archive of the period, and a verifier that needs only Node.
 */
import { join } from 'node:path';
import type { Command } from 'commander';
import type { Values } from '../infra/queries/queries';
import { plural } from '../lambdas/shared/text';
import { graveOf } from '../lambdas/verifier/findings';
import { coverageSentence } from './evidence/coverage';
import { makeEvidence } from './evidence/make';
import { packagePaths, SEND_APART } from './evidence/package-format';
import { prepareQuestions } from './evidence/questions';
import { exitCodes } from './exit';
import { addParameter } from './query';
import { type OpenBucket, openArchive, parseDate } from './verify';
import { readKey, readTeamHeads } from './verify-inputs';
import { LOOKS_LIKE_COPYING, resultOf } from './verify-output';

const HELP = `
SOURCE is verified, and the package says what was found: with findings too, and the exit code is then 1. Give the package to an
auditor. Send the SHA-256 of the package, which is printed at the end, another way, such as by mail: nobody else can tell whether the
folder was changed. The auditor needs no account and no network:

  node DIR/verify.mjs --package SHA256      in PowerShell: node DIR\\verify.mjs --package SHA256; $LASTEXITCODE

A query that has a parameter without a default, such as person, is asked only if --param gives it.`;

type MadePackage = Awaited<ReturnType<typeof makeEvidence>>;

interface EvidenceFlags {
  readonly team: string;
  readonly from: string;
  readonly to: string;
  readonly out: string;
  readonly key: string;
  readonly head?: string;
  readonly param: Values;
  readonly json?: boolean;
}

export function addEvidence(program: Command, openBucket: OpenBucket): void {
  program
    .command('evidence')
    .description("write a period's evidence for an auditor: a report, answers, and an archive that verifies on its own")
    .argument('<source>', 'a folder that holds a copy of the bucket, or s3:// and the name of the bucket itself')
    .requiredOption('--team <name>', 'the team')
    .requiredOption('--from <date>', 'the first day, UTC', parseDate)
    .requiredOption('--to <date>', 'the last day, UTC, which is included', parseDate)
    .requiredOption('--out <dir>', 'a new folder for the package')
    .requiredOption('--key <file>', 'the public key that was saved when the archive was set up (ECDSA P-256, PEM)')
    .option('--head <file>', 'saved heads, as for verify: report manifests that have been deleted since')
    .option('--param <name=value>', 'the value of a parameter of the queries; repeat the option', addParameter, {})
    .option('--json', 'print one JSON document')
    .addHelpText('after', HELP)
    .action(async (source: string, flags: EvidenceFlags, command: Command) => {
      const now = new Date();
      const questions = prepareQuestions(flags.team, flags, flags.param, now);
      if (!('questions' in questions)) return command.error(`error: ${questions.join('\n')}`);
      const contents = await makeEvidence({
        ...flags,
        reader: await openArchive(source, openBucket),
        source: source.startsWith('s3://') ? source : 'a copy of the bucket',
        publicKey: await readKey(flags.key),
        heads: flags.head === undefined ? [] : await readTeamHeads(flags.head, flags.team),
        questions,
        now,
        onStep: (step) => console.error(`${step} ...`),
      });
      console.log(
        flags.json ? JSON.stringify(asJson(contents, flags.out), null, 2) : describeEvidence(contents, flags.out),
      );
      process.exitCode = contents.clean ? exitCodes.good : exitCodes.findings;
    });
}

function asJson(made: MadePackage, out: string): object {
  const { clean, team, from, to, verification, facts, answers, packageSha256 } = made;
  const asked = answers.map(({ query, parameters, needs, rows, file }) => {
    return { query: query.name, parameters, ...(rows === undefined ? { needs } : { rows, file }) };
  });
  return { clean, out, packageSha256, team, from, to, made: made.made, verification, days: facts.days, answers: asked };
}

export function describeEvidence(made: MadePackage, out: string): string {
  const { clean, verification, summary, answers, facts, packageSha256 } = made;
  const findings = graveOf(verification.findings);
  const unasked = answers.flatMap(({ needs }) => needs);
  const result = clean
    ? resultOf(verification)
    : `NOT GOOD: ${plural(findings.length, 'finding')}, the first is ${findings[0]?.code}. The report lists them all.`;
  return [
    result,
    verification.mayComeFromCopying && LOOKS_LIKE_COPYING,
    coverageSentence(facts.days),
    `${plural(summary.events, 'event')} of the period, ${plural(summary.manifests, 'manifest')}.`,
    unasked.length > 0 && `Not asked for lack of a parameter, for example: --param ${unasked.join(' --param ')}`,
    `  report:  ${packagePaths(out).report}`,
    `  verify:  node ${join(out, 'verify.mjs')}`,
    `${SEND_APART}\n  ${packageSha256}`,
  ]
    .filter(Boolean)
    .join('\n');
}
