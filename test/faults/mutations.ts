/**
 * The oracle must notice each of these mutations, which break one rule of the protocol at a time. They are listed by file.
 * Each names what it breaks, the scenario or case that shows it, the text to replace (which the file contains exactly
 * once), and its replacement. Mutations of an adapter are played in the world of that adapter.
 */
import { join } from 'node:path';
import { loadPatched, type Mutation, type Patch, readMutations } from '../support/patched-program';
import type * as program from './program';

/** The archiver with these patches. */
export function patchedArchiver(patches: readonly Patch[]): Promise<typeof program> {
  return loadPatched(join(import.meta.dirname, 'program.ts'), patches);
}

export const noOp: Patch = {
  file: 'archiver/archive.ts',
  from: 'const { store, logger } = run;',
  to: 'const { store, logger } = { ...run };',
};

export const mutations: readonly Mutation[] = readMutations(`
archiver/archive.ts
  a batch is published before its commit | there are new events
    - const committed = await commit(staged, run);
    + await publishBatch(staged.manifest, staged.members, store); const committed = await commit(staged, run);
  the walk begins before the head is published | the head is half published
    - head === undefined ? 0 : await publishHead(head.manifest, run);
    + 0;
  the next batch begins before this one is published | a run commits several batches
    - await publishBatch(manifest, staged.members, store);
    + void publishBatch(manifest, staged.members, store).catch(() => undefined);
  the position comes from the checkpoint item | the checkpoint item claims a later position
    - chain,
    + chain: head === undefined ? chain : { ...chain, head: () => ({ ...head, manifest: { ...head.manifest, position: (hint as any).position?.S ?? head.manifest.position } }) },
  an error of publishing is swallowed | a run commits several batches
    - await publishBatch(manifest, staged.members, store);
    + await publishBatch(manifest, staged.members, store).catch(() => undefined);
  an error of the run is swallowed | there are new events
    - throw error;
    + return { recovered: 0 };
  an event is logged | there are new events
    - logger.debug('stage', {
    + logger.debug('stage', { lines: batch.events.map(({ line }) => line.toString()),
  a held lease is ignored | the same trigger arrives twice, at once or later
    - if (hint === 'held') return 'held';
    + if (hint === 'held') return archive({ ...run, checkpoints: { ...run.checkpoints, acquire: async () => ({ seq: undefined }) } });
archiver/commit.ts
  a batch is committed before it is staged | there are new events
    - if (members.length > 0) await run.store.create(key, members, 'application/gzip');
    + if (members.length > 0) run.store.create(key, members, 'application/gzip').catch(() => 'x');
  every 412 counts as the commit of this run | there are new events
    - if (stored === undefined || !stored.equals(envelope)) {
    + if (stored === undefined) {
  no 412 counts as the commit of this run | there are new events
    - if (stored === undefined || !stored.equals(envelope)) {
    + {
  the key of the staged batch does not name the run | there are new events
    - const key = batchKey(run.team, seq, run.id);
    + const key = batchKey(run.team, seq, '00000000-0000-0000-0000-000000000000');
  the chain is not linked | there are new events
    - previous: head?.hash ?? null
    + previous: null
  the latest instant is that of this manifest alone | there is nothing new
    - latestOf(head?.manifest.latest ?? null, segments)
    + latestOf(null, segments)
  a lost race counts as a failure | of two to ten runs at once one commits, and the others end without an error
    - return new Race(
    + return new (require('../shared/errors').UpstreamError)('storage-unavailable',
  taken keys are not looked at before the batch is staged | an object planted at the key of the next segment stops the archive and is never signed
    - await refuseTakenKeys(segments, seq, run);
    +
  a taken key is always an alarm | of two to ten runs at once one commits, and the others end without an error
    - if ((await readManifest(run, seq)) === undefined) throw unlisted(key);
    + throw unlisted(key);
  an unsigned object at the key of the manifest counts as another run | an unsigned object that is put at the key of the manifest during the run is an alarm, not a race
    - if ((await readManifest(run, manifest.seq)) === undefined) throw vanished(key);
    +
archiver/publish.ts
  an expired head is taken for a tampered one | the head is half published, and all of it has expired
    - if (isOver) return;
    +
  an expired head is published as new | the head is half published, and only its staged bytes have not expired
    - if (isOver) return;
    +
  a head is given up before it has expired | the head is half published
    - if (isOver) return;
    + if (manifest.seq > 0) return;
  the content at a key that exists is not compared | an object planted at any key at any time silences no event
    - if (sha256(bytes) === segment.objectSha256) return;
    + return;
  staged bytes are published without a check | damaged staged bytes are never published
    - checkContent(segment, member, 'batch-unreadable', key);
    +
archiver/head.ts
  the head comes from the checkpoint item | the checkpoint item is rolled back
    - if (seqs[0] === hint) return contiguous(team, seqs, hint);
    + if (seqs[0] === hint) return hint;
  a checkpoint that is ahead of the chain is ignored | a run stops at a chain whose newest manifests were removed
    - if (hint !== undefined && hint > newest) {
    + if (hint !== undefined && hint > newest + 1000) {
  garbage in the checkpoint item counts as no item | garbage in the checkpoint item stops the run until the item is deleted
    - if (seq === undefined) return undefined;
    + if (!Number.isSafeInteger(seq) || Number(seq) < 1) return undefined;
archiver/progress.ts
  the position lies after the walk start | the walk crosses midnight without a lookback
    - readUntil: earlier(walkStart, claim),
    + readUntil: earlier(addMs(walkStart, 1000), claim),
  the lookback is ignored | an event is late, within the lookback
    - nextReadFrom(previous, options);
    + nextReadFrom(previous, { ...options, lookbackHours: 0 });
  a position is kept that the same walk disproves | an event is filed under another hour than its timestamp, and the time ends anywhere
    - readUntil: earlier(walkStart, claim),
    + readUntil: later(progress.readUntil, earlier(walkStart, claim)),
  a resumed walk forgets the lookback | the source sorts by id, an event is late, and the time ends anywhere
    - hasComeFar ? addMs(reached, -lookbackMs) : reached
    + reached
  the clock of the run is trusted | the clock is a day ahead
    - earlier(progress.walkStart, serverTime);
    + progress.walkStart;
  a gap is not recorded | an outage lasts 181 days
    - { gaps: [...progress.gaps, gap] }
    + {}
  the next walk does not read the lookback again | an event is late, within the lookback
    - return earlier(from, addMs(full, -lookbackMs));
    + return reached;
  walks between full ones go on for ever | runs in short intervals read the whole lookback once an hour and leave no late event to the sweep
    - run.reason === 'complete' && !isDue
    + run.reason === 'complete'
  an unfinished walk begins anew | every run advances the position through a day that is longer than a run
    - return earlier(from, addMs(full, -lookbackMs));
    + return addMs(new Date(position), -lookbackMs);
archiver/read-again.ts
  a walk that read a short time again counts as a full one | runs in short intervals read the whole lookback once an hour and leave no late event to the sweep
    - return Math.max(lookbackMs, FULL_WALK_AFTER_MS + SHORT_LOOKBACK_MS);
    + return lookbackMs;
archiver/window.ts
  the position lies after a second that is split between batches | more events share an instant at midnight than a batch holds
    - const claim = isProved ? order.claim() : window.from;
    + const claim = isProved ? addMs(order.claim(), 1000) : window.from;
  the order of the source is trusted | the source always sorts a backlog descending
    - return ascending && shown ?
    + return !Number.isNaN(last) ?
  one page alone proves the order | the source sends the newest page first, and the time ends anywhere
    - if (before < last) shown = true;
    + if (events.length > 1) shown = true;
  an event dated in the future moves the position | the source sorts by id, and one event is dated in the future
    - at > latest || quarantineReason
    + quarantineReason
  the end of a window is not proved | a source that announces the next page in a new way fails the run
    - if (!hasMore && end.isDoubtful(answer, limit))
    + if (false)
  requests do not begin a second before the bound | more events share an instant at midnight than a batch holds
    - { since: addMs(later(since, keptFrom), -SECOND_MS), until: window.to,
    + { since: later(since, keptFrom), until: window.to,
  only the first page is read | more events share an instant than a page holds
    - if (cursor === undefined) return false;
    + return false;
  a resumed walk reads its day from the start | every run advances the position through a day that is longer than a run
    - let since = options.since ?? midnight(window.from);
    + let since = midnight(window.from);
  a resumed walk trusts its first bound | the source reads bounds and order in every possible way
    - let isProved = +since === +midnight(since);
    + let isProved = true;
archiver/end-proof.ts
  a source need not announce what follows a single event | a source that announces the next page in a new way fails the run
    - ...(isAlone ? [] : [{
    + ...(true ? [] : [{
  an event that appears meanwhile counts as one that was left out | an event that appears while the end of the walk is proved fails no run
    - const isFirst = !isSuspect && (isCut || missed.length > 0);
    + const isFirst = false; if (isCut || missed.length > 0) throw endUnmarked();
archiver/batch.ts
  events at the instant of the position are left out | more events share an instant at midnight than a batch holds
    - for (const event of page.newEvents) events.push(
    + for (const event of page.newEvents) if (!(lateBefore && event.instant <= lateBefore)) events.push(
  a late event is not counted | an event is late, within the lookback
    - lateBefore !== undefined && instant < lateBefore
    + false
archiver/answer.ts
  an error of the source is swallowed | every second connection is reset during a backlog
    - if (error.kind === 'too-large') return { kind: 'too-large' };
    + return { kind: 'page', serverTime: undefined, events: [], cursor: undefined };
  a malformed body is taken for an empty page | every second body is cut off during a backlog
    - if (!(error instanceof PageError)) throw error;
    + return { kind: 'page', serverTime: undefined, events: [], cursor: undefined };
archiver/source.ts
  the API key is logged | the source answers some requests with server errors
    - const headers = {
    + logger.debug('asking', { key }); const headers = {
  the time that is left is ignored | a run with little time stops before its deadline and loses nothing
    - if (left() < rate.waitMs() + Math.max(MIN_REQUEST_MS, slowestMs * 1.5)) {
    + if (left() < -1e12) {
  the end of the run counts as a failure of the source | a source that hangs while the time ends does not undo what the run has read
    - if (!isCutShort) return transportOutcome(error);
    + return transportOutcome(error);
  the run does not wait as the source asks | a run waits as the source asks, in every spelling and without one
    - await clock.sleep(wait);
    +
shared/event.ts
  an id is read as a Number | ids look alike
    - return token === '' ? undefined : token;
    + return token === '' ? undefined : String(Number(token));
  an unfit line goes to events/ | events are dated in the future
    - return instantInRange(event, walkStart) === undefined ? 'out-of-range' : undefined;
    + return undefined;
  white space between tokens stays | the last cursor is null, and the JSON is pretty-printed
    - line: reader.white === white ? asSent : minify(asSent),
    + line: asSent,
archiver/deduplicate.ts
  archived events are not dropped | there is nothing new
    - if (digest !== undefined) return digest === lineDigest(line) ? 'known' : 'revision';
    +
  the ids of this batch are not known | two pages of one batch hold the same event
    - archived.events.add(dateOf(instant), id, line);
    +
  the archive is read back to the oldest line of a page alone | the only event of a date is edited to another date
    - if (!hasRead) instants.push(readFrom);
    +
  a page with older lines does not extend the reading | a sweep reads lines without a date that the first run met days before
    - if (known.length > 0) await archived.readFrom(known.reduce(earlier));
    + if (!hasRead) await archived.readFrom(readFrom);
  the quarantine is not looked up | every body differs on every read
    - if (index.find(identity) !== undefined || hasOtherReason(event, reason)) return true;
    +
  archived events are taken for events that are dated ahead | the clock is two days behind, and nothing is new
    - const isDatedAhead = reason === 'out-of-range';
    + const isDatedAhead = false;
  unfit lines are told apart by their ids | events are unusual or malformed
    - [archived.held, sha256(line)];
    + [archived.held, id];
  lines without an instant are looked up by date alone | a sweep reads lines without a date that the first run met days before
    - if (instantInRange(event, walkStart) === undefined && undated.hasMet(line)) return true;
    +
  the id of a quarantined revision is not known | a revision stays one when its first body is read no more
    - if (archived.revised.find(id) !== undefined) return 'revision';
    +
  a sweep adds what it finds without reading the chain | a sweep archives nothing again that was only hidden
    - await archived.proveDay(sweptDate);
    + {}
  a quarantined line goes into the partition of the walk start | events are edited after they were archived, one to another date
    - own === undefined ? (sweptDate ?? dateOf(walkStart)) : dateOf(own);
    + dateOf(walkStart);
archiver/archived.ts
  a listed segment that is missing is passed over | a segment that is hidden or overlaid stops the run, and nothing is archived twice
    - if (bytes === undefined) throw missing(segment.key);
    + if (bytes === undefined) return;
  the content of a listed segment is not compared | a segment that is hidden or overlaid stops the run, and nothing is archived twice
    - if (sha256(bytes) !== segment.objectSha256) throw differs(segment.key);
    +
  a sweep believes an object that no manifest lists | an object planted in an older day stops the sweep of that day
    - if (manifest === undefined || segment === undefined) throw unlisted(key);
    + if (manifest === undefined || segment === undefined) return { manifest: chain.head()?.manifest, segment: { key, last: '2026-03-09T00:00:00.000Z', objectSha256: sha256((await run.store.get(key)) as Buffer) } } as ListedSegment;
  what a run forgot counts as remembered where it came too far | the source serves an event again that the run committed and forgot
    - forgottenBefore = date > forgottenBefore ? date : forgottenBefore;
    + forgottenBefore = date;
  reading back stops at the head | there is nothing new
    - latest === null || latest < from
    + true || latest < from
archiver/chain.ts
  the signature of a manifest is not checked | a planted manifest, or one of another number, is not accepted as head
    - if (manifest === undefined || problem !== undefined) {
    + if (manifest === undefined) {
  a manifest of another number is accepted as head | a planted manifest, or one of another number, is not accepted as head
    - if (manifest.team !== team || manifest.seq !== seq) {
    + if (manifest.team !== team) {
  the links of the chain are not checked | a run does not build on a fork of the chain
    - if (signed.hash !== known.at(-1)?.manifest.previous) {
    + if (signed.hash === '') {
archiver/gather.ts
  known ids are forgotten within the lookback | an event is edited to the next date while the run reads pages
    - addMs(earlier(claim, progress.walkStart), -run.lookbackHours * HOUR_MS)
    + addMs(earlier(claim, progress.walkStart), 0)
  the last bound is the walk start | the source cuts bounds to midnight
    - to: midnight(startedAt, DAYS_AHEAD) }
    + to: startedAt }
  nothing is swept | an event is late, beyond the lookback
    - end === 'complete' ? await sweepDays(
    + false ? await sweepDays(
archiver/gathering.ts
  every answer moves the walk start | the clocks of the servers differ
    - gathering.teams.meet(page.events);
    + gathering.progress = { ...gathering.progress, walkStart: new Date(Math.min(+gathering.progress.walkStart, +(page.serverTime ?? gathering.progress.walkStart))) }; gathering.teams.meet(page.events);
archiver/source-team.ts
  the team of the API key is not checked | the API key belongs to another team
    - throw otherTeam();
    + {}
archiver/lease.ts
  a renewed lease adopts the number of the checkpoint item | a run that was frozen while manifests were removed does not hide their removal
    - asHint('lease not renewed', acquire);
    + asHint('lease not renewed', take);
archiver/sweep.ts
  events that the source no longer serves are not counted | the sweep counts events that were removed or edited, and the archive keeps them
    - filter((id) => !served.has(id)).length
    + filter((id) => !served.has(id)).length * 0
adapters/s3.ts
  a put is unconditional | a run commits several batches
    - IfNoneMatch: '*',
    +
`);
