/** The known word that somebody probably meant who wrote another one. */
import { distance } from 'fastest-levenshtein';

/** Undefined if no known word is near. */
export function nearest(word: string, known: readonly string[]): string | undefined {
  const edits = (candidate: string) => distance(word.toLowerCase(), candidate.toLowerCase());
  const [best = ''] = known.toSorted((a, b) => edits(a) - edits(b));
  return best !== '' && edits(best) <= Math.max(2, best.length / 3) ? best : undefined;
}

/** The end of a sentence about the word; empty if no known word is near. */
export function didYouMean(word: string, known: readonly string[]): string {
  const near = nearest(word, known);
  return near === undefined ? '' : `; did you mean ${JSON.stringify(near)}?`;
}
