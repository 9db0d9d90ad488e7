/** The chapter on retention: how long everything is kept, and who can delete it before. */
import { plural } from '../../lambdas/shared/text';
import type { Contents } from './contents';
import type { Facts, Retention } from './facts';
import { type Html, html } from './html';

const BEFORE: Readonly<Record<string, string>> = {
  COMPLIANCE: 'Nobody can delete it before, and no administrator of the account can either.',
  GOVERNANCE: 'Only somebody who has the permission s3:BypassGovernanceRetention can delete it before.',
};

export function retentionChapter(contents: Contents): Html {
  const { facts, summary } = contents;
  const { objects, lines } = summary.expired;
  const gone =
    objects === 0
      ? 'Nothing of the period has expired.'
      : `${plural(objects, 'object')} with ${plural(lines, 'line')} are gone, which the signed retention allows.`;
  return html`<h2>Retention and lock</h2>
${facts.retentions.map((each) => html`<p>${sentencesOf(each)}</p>`)}
<p>${isSet(facts) ? `${lockSentence(contents)} ` : ''}${gone}</p>`;
}

function isSet({ retentions }: Facts): boolean {
  return retentions.some(({ stated }) => stated !== 'null');
}

export function lockSentence({ facts, hasLocks }: Contents): string {
  if (!isSet(facts)) return 'No retention was set, so no object is locked.';
  return hasLocks
    ? 'The lock of every object that was read was compared with its manifest.'
    : 'A copy of the bucket has no locks, so the locks were not checked: the signed manifests only promise them.';
}

function sentencesOf({ stated, from, to }: Retention): string {
  const { mode, days, expireAfterDays } = Object(JSON.parse(stated));
  const when = `from ${from} to ${to}`;
  if (mode === undefined)
    return `No retention was set for what was archived ${when}: whoever may delete in the bucket can do so at any time.`;
  const end = expireAfterDays === null ? '' : ` S3 deletes it after ${plural(Number(expireAfterDays), 'day')}.`;
  return `Everything that was archived ${when} is kept for ${plural(Number(days), 'day')} after it was written (mode ${mode}). ${BEFORE[mode] ?? ''}${end}`;
}
