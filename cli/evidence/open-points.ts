/**
 * The beginning of the report: in plain sentences, what the result leaves open, and the words that the report uses. The chapter on
 * retention tells how long everything is kept, and who can delete it before.
 */
import { figure, plural } from '../../lambdas/shared/text';
import { isUnread } from './calendar';
import type { Contents } from './contents';
import type { Retention } from './facts';
import { type Html, html } from './html';
import { UNCOMPARED } from './package-format';

/** The number of gaps is that of the manifests, which a forger chooses, so the report shows only the first of them. */
const MOST_GAPS = 20;

const WORDS = [
  ['Manifest', 'a signed record of what one run read and archived.'],
  ['Segment', 'a file with the events of one day that one manifest lists.'],
  ['Chain', 'all manifests in their order: each one names the hash of the one before.'],
  ['Head', 'the newest manifest of the chain.'],
  ['Anchor', 'a note of the head by a verifier in the cloud, kept where the archiver cannot write.'],
  ['Sweep', 'a second reading of an older day, which finds events that appeared late, changed or vanished at Postman.'],
] as const;

export function openPoints(contents: Contents): Html {
  const points = [...pointsOf(contents)];
  return html`<h2>What you should know</h2>
<ul><li>Run <code>node verify.mjs</code> and compare the SHA-256 that it prints first with the one that the company sent you apart from this
folder. ${UNCOMPARED}</li>
${points.map((each) => html`<li>${each}</li>`)}</ul>
<h2>Words of this report</h2>
<dl>${WORDS.map(([word, meaning]) => html`<dt>${word}</dt><dd>${meaning}</dd>`)}</dl>`;
}

function* pointsOf(contents: Contents): Generator<string> {
  const { anchors, facts, summary } = contents;
  yield `Locks: ${lockSentence(contents)}`;
  if (anchors.length === 0)
    yield 'Anchors: anchors.json is empty. Either no verifier in the cloud has confirmed this chain, or the source lacked the anchors.';
  const read = facts.days.filter(({ state }) => !isUnread(state));
  const swept = read.filter(({ sweep }) => sweep === 'complete').length;
  yield `Sweeps: a sweep read ${figure(swept)} of the ${figure(read.length)} archived days completely a second time.`;
  if (summary.quarantined > 0)
    yield `Quarantine: ${plural(summary.quarantined, 'line')} could not be archived as events, and are not in events.csv.`;
  yield* incompleteDays(contents);
  const gaps = summary.gaps.filter(
    (gap) => gap.to.slice(0, 10) >= contents.from && gap.from.slice(0, 10) <= contents.to,
  );
  for (const { from, to } of gaps.slice(0, MOST_GAPS))
    yield `Gap: ${utcText(from)} to ${utcText(to)} is lost, because Postman no longer kept this time when it was asked.`;
}

function* incompleteDays({ facts: { days }, period, made }: Contents): Generator<string> {
  const begins = `the archive begins at ${utcText(period.from)}`;
  const ends = `the archive had come to ${utcText(period.to)} when this package was made, at ${utcText(made)}`;
  for (const { date } of days.filter(({ state }) => state === 'read in part')) {
    const reasons = [period.from.startsWith(date) && begins, period.to.startsWith(date) && ends];
    yield `Read in part: ${date}, because ${reasons.filter(Boolean).join(', and ')}.`;
  }
  const before = days.filter(({ state }) => state === 'before the archive').length;
  const after = days.filter(({ state }) => state === 'not read yet').length;
  if (before > 0) yield `Not read: ${plural(before, 'day')}, because ${begins}.`;
  if (after > 0) yield `Not read yet: ${plural(after, 'day')}, because ${ends}.`;
}

export function utcText(instant: string): string {
  return `${instant.slice(0, 19).replace('T', ' ')} UTC`;
}

export function retentionChapter(contents: Contents): Html {
  const { retentions } = contents.facts;
  const { objects, lines } = contents.summary.expired;
  const gone =
    objects === 0
      ? 'Nothing of the period has expired.'
      : `${plural(objects, 'object')} with ${plural(lines, 'line')} are gone, which the signed retention allows.`;
  return html`<h2>Retention and lock</h2>
${retentions.map((each) => html`<p>${sentencesOf(each)}</p>`)}
<p>${isSet(contents) ? `${lockSentence(contents)} ` : ''}${gone}</p>`;
}

function lockSentence(contents: Contents): string {
  if (!isSet(contents)) return 'No retention was set, so no object is locked.';
  return contents.hasLocks
    ? 'The lock of every object that was read was compared with its manifest.'
    : 'A copy of the bucket has no locks, so the locks were not checked: the signed manifests only promise them.';
}

function isSet({ facts }: Contents): boolean {
  return facts.retentions.some(({ stated }) => stated !== 'null');
}

const BEFORE: Readonly<Record<string, string>> = {
  COMPLIANCE: 'Nobody can delete it before, and no administrator of the account can either.',
  GOVERNANCE: 'Only somebody who has the permission s3:BypassGovernanceRetention can delete it before.',
};

function sentencesOf({ stated, from, to }: Retention): string {
  const { mode, days, expireAfterDays } = Object(JSON.parse(stated));
  const when = `from ${from} to ${to}`;
  if (mode === undefined)
    return `No retention was set for what was archived ${when}: whoever may delete in the bucket can do so at any time.`;
  const end = expireAfterDays === null ? '' : ` S3 deletes it after ${plural(Number(expireAfterDays), 'day')}.`;
  return `Everything that was archived ${when} is kept for ${plural(Number(days), 'day')} after it was written (mode ${mode}). ${BEFORE[mode] ?? ''}${end}`;
}
