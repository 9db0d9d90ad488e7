/**
 * The report of an evidence package: one page without scripts that loads nothing. It is written for an auditor who has never seen
 * the archive, and begins with the result in words.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { keyId } from '../../lambdas/shared/dsse';
import { figure, plural } from '../../lambdas/shared/text';
import { FINDINGS, graveOf } from '../../lambdas/verifier/findings';
import { LOOKS_LIKE_COPYING, resultOf } from '../verify-output';
import { answerChapter } from './answer-chapter';
import type { Contents } from './contents';
import { coverage, coverageSentence } from './coverage';
import type { Facts } from './facts';
import { countTable, type Html, html, table } from './html';
import { openPoints, retentionChapter, utcText } from './open-points';
import { UNCOMPARED } from './package-format';

/** `verify.mjs` and `audit-archive verify` show all of them. */
const MOST_FINDINGS = 500;

export function writeReport(contents: Contents): string {
  const { team, from, to, clean, facts } = contents;
  const result = clean ? 'Good' : 'NOT GOOD';
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'">
<title>${result}: Postman audit log of team ${team}, ${from} to ${to}</title>
<style>${{ html: readFileSync(join(import.meta.dirname, 'report.css'), 'utf8') }}</style>
</head>
<body>
<main>
<h1>Postman audit log of team ${team}</h1>
<p>${from} to ${to}, UTC dates, both included</p>
${verdict(contents)}
${openPoints(contents)}
${findingsOf(contents)}
${coverage(facts)}
${whatWasChecked(contents)}
${retentionChapter(contents)}
<h2>Events by action</h2>
${countTable('Action', facts.actions)}
<h2>Events by person</h2>
${countTable('Person', facts.people)}
${quarantine(facts)}
${answerChapter(contents)}
${repeat(contents)}
</main>
</body>
</html>
`.html;
}

function verdict({ clean, facts, verification, summary }: Contents): Html {
  const findings = graveOf(verification.findings).length;
  const result = clean
    ? resultOf(verification)
    : `NOT GOOD: ${plural(findings, 'finding')}. Do not rely on this evidence until every finding is explained.`;
  const lines = `${plural(summary.events, 'event')} and ${plural(summary.quarantined, 'quarantined line')} of the period were read and compared with ${plural(summary.manifests, 'signed manifest')}.`;
  return html`<div class="verdict ${clean ? 'good' : 'bad'}">
<p class="result">${result}</p>
<p>${coverageSentence(facts.days)}</p>
<p>${lines}</p>
</div>`;
}

function whatWasChecked(contents: Contents): Html {
  const { made, source, version, publicKey, summary, verification, anchors, facts } = contents;
  const [anchor] = anchors.slice(-1);
  return html`<h2>What was checked</h2>
<dl>
<dt>Checked at</dt><dd>${utcText(made)}, from ${source}</dd>
<dt>By</dt><dd>audit-archive ${version}</dd>
<dt>Public key</dt><dd>SHA-256 <code>${keyId(publicKey)}</code></dd>
<dt>Chain</dt><dd>${chainOf(contents)}</dd>
<dt>Events from</dt><dd>${facts.sources.join(', ')}, as the manifests state</dd>
<dt>Archived by</dt><dd>version ${summary.codeVersions.join(', ')}</dd>
<dt>Newest anchor</dt><dd>${
    anchor === undefined
      ? 'There is none.'
      : `The verifier in the cloud confirmed manifest ${anchor.seq} at ${utcText(anchor.verifiedAt)}.`
  }</dd>
</dl>
<p>The signature and the place of every manifest in the chain were checked, and every byte and every line of the segments of the
period. This is what was not checked:</p>
<ul><li>This page cannot compare the SHA-256 of the package. ${UNCOMPARED}</li>
${verification.notChecked.map((sentence) => html`<li>${sentence}</li>`)}</ul>`;
}

function chainOf({ summary, head, period }: Contents): Html {
  return html`${plural(summary.manifests, 'manifest')}, which cover ${utcText(period.from)} to ${utcText(period.to)}. The newest is number ${head.seq} of
${utcText(head.finished)}, with the SHA-256 <code>${head.sha256}</code>`;
}

function findingsOf({ verification, leftOut }: Contents): Html {
  const { findings } = verification;
  const graveFirst = [...graveOf(findings), ...findings.filter(({ severity }) => severity === 'notice')];
  const shown = graveFirst.slice(0, MOST_FINDINGS);
  const rows = shown.map(
    ({ code, severity, object, detail }) =>
      html`<tr><td>${severity}</td><td><code>${code}</code></td><td>${FINDINGS[code].sentence}${detail && ` (${detail})`}</td><td><code>${object}</code></td></tr>`,
  );
  const more = findings.length - shown.length;
  return html`<h2>Findings</h2>
${findings.length === 0 ? html`<p>There are no findings and no notices. This says nothing about what was not checked: see above and under “What was checked”.</p>` : table('Findings', ['Kind', 'Code', 'Meaning', 'Object'], rows)}
${more > 0 ? html`<p>${plural(more, 'other')} like these: verify the archive to see them all.</p>` : ''}
${verification.mayComeFromCopying ? html`<p>${LOOKS_LIKE_COPYING}</p>` : ''}
${leftOut > 0 ? html`<p>${plural(leftOut, 'object')} did not match the signed manifests. The answers and events.csv lack their lines. The calendar and the months count what the signed manifests state.</p>` : ''}`;
}

function quarantine({ quarantine: reasons, days }: Facts): Html {
  const changed = days.reduce((sum, day) => sum + day.changed, 0);
  const rows = reasons.map(
    ({ name, count }) => html`<tr><td>${name}</td><td class="number">${figure(count)}</td></tr>`,
  );
  return html`<h2>Revisions and quarantine</h2>
<p>A line that cannot be archived among the events is kept in quarantine, byte for byte. A revision is a known event that was served again
with another body: the archive keeps the first body among the events, and the later one in quarantine.</p>
${reasons.length === 0 ? html`<p>Nothing is in quarantine.</p>` : table('Quarantine', ['Reason', 'Lines'], rows, [1])}
<p>The newest sweeps found ${plural(changed, 'event')} with another body. The lines are in
<a href="answers/quarantine_and_revisions.csv">quarantine_and_revisions.csv</a>.</p>`;
}

function repeat({ team, from, to, publicKey, verifierSha256 }: Contents): Html {
  return html`<h2>How to repeat every check</h2>
<p>On any machine with Node 20.15 or newer, without a network and without installing anything, with the SHA-256 that the company sent
you apart from this folder:</p>
<pre>node verify.mjs --package SHA256</pre>
<p>In PowerShell on Windows, in this folder, with the exit code (0 good, 1 findings, 3 it could not be read):</p>
<pre>node verify.mjs --package SHA256; $LASTEXITCODE</pre>
<p>The SHA-256 of the package is that of <code>evidence.json</code>, which any other tool computes too:</p>
<pre>openssl dgst -sha256 evidence.json</pre>
<p>Compare the key with the one that was saved when the archive was set up. Its SHA-256 is <code>${keyId(publicKey)}</code>:</p>
<pre>openssl pkey -pubin -in public-key.pem -outform DER | openssl dgst -sha256</pre>
<p>The file <a href="anchors.json">anchors.json</a> holds what the verifier in the cloud wrote down, where the archiver cannot write.
Compare it with the archive or with the mails that carry the same numbers: whoever holds a newer anchor can show that a later manifest
existed.</p>
<h3>For the company, in its checkout of audit-archive</h3>
<p>The same version writes the same verifier, which has the SHA-256 <code>${verifierSha256}</code>, and has its own command:</p>
<pre>npx audit-archive verify archive --key public-key.pem --from ${from} --to ${to}</pre>
<p>Any query can be asked again. Without a longer history it reads only the package:</p>
<pre>npx audit-archive query completeness archive --key public-key.pem --param team=${team} --from ${from} --to ${to}</pre>`;
}
