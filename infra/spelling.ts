/** The end of an error about an unknown word, for the configuration and for the command line. */
import { distance } from 'fastest-levenshtein';

/** Names the known word that was probably meant, or else every known word. */
export function didYouMean(word: string, known: readonly string[]): string {
  const edits = (candidate: string) => distance(word.toLowerCase(), candidate.toLowerCase());
  const [nearest = ''] = known.toSorted((a, b) => edits(a) - edits(b));
  const isNear = edits(nearest) <= Math.max(2, nearest.length / 3);
  return isNear ? `did you mean ${JSON.stringify(nearest)}?` : `known are ${known.join(', ')}`;
}
