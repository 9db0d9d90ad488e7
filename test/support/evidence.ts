/** Makes evidence packages of archives that a test built. */
import { makeEvidence } from '../../cli/evidence/make';
import { prepareQuestions } from '../../cli/evidence/questions';
import type { Values } from '../../infra/queries/queries';
import type { ArchiveReader } from '../../lambdas/verifier/inventory';
import { readerOf, testKey } from './archive-builder';
import { NOW } from './judge';

interface Wanted {
  readonly team?: string;
  readonly from: string;
  readonly to: string;
  readonly param?: Values;
  readonly now?: Date;
  readonly reader?: ArchiveReader;
  /** The queries, beside `completeness`. */
  readonly asked?: 'all' | readonly string[];
}

/** The package is written into the folder, which must be new. */
export function evidenceOf(objects: ReadonlyMap<string, Buffer>, out: string, wanted: Wanted) {
  const {
    team = 'main',
    from,
    to,
    param = {},
    now = NOW,
    reader = readerOf(objects),
    asked = ['events_per_day', 'who_did_what'],
  } = wanted;
  const questions = prepareQuestions(team, { from, to }, param, now);
  if (!('questions' in questions)) throw new Error(questions.join('; '));
  const some = questions.questions.filter(
    ({ query: { name } }) => asked === 'all' || ['completeness', ...asked].includes(name),
  );
  const about = { source: 'a copy of the bucket', publicKey: testKey, heads: [], onStep: () => undefined };
  return makeEvidence({
    ...about,
    reader,
    team,
    from,
    to,
    out,
    questions: { ...questions, questions: some },
    now,
  });
}
