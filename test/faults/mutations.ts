/** What must be noticed: each rule of the protocol broken, one at a time, and the scenarios that ought to show it. */
import type { Patch } from './patched-program';

export interface Mutation {
  readonly name: string;
  readonly patches: readonly Patch[];
  /** Names of scenarios, or of cases. */
  readonly shownBy: readonly string[];
}

function mutation(name: string, shownBy: string, file: string, from: string, to: string): Mutation {
  return { name, shownBy: [shownBy], patches: [{ file, from, to }] };
}

const archive = 'archiver/archive.ts';
const gather = 'archiver/gather.ts';
const publishing = 'await publishBatch(head.manifest, staged.members, store);';

export const noOp: Patch = {
  file: archive,
  from: 'const { store, signer, journal } = world;',
  to: 'const { store, signer, journal } = { ...world };',
};

export const mutations: readonly Mutation[] = [
  mutation(
    'publish before commit',
    'next run',
    archive,
    'head = await commit(staged, { ...input, ...settings, ...world });',
    'await publishBatch(staged.manifest, staged.members, store); head = await commit(staged, { ...input, ...settings, ...world });',
  ),
  mutation(
    'commit before staging',
    'next run',
    'archiver/commit.ts',
    "if (sealed.members.length > 0) await options.store.create(key, sealed.members, 'application/gzip');",
    "if (sealed.members.length > 0) options.store.create(key, sealed.members, 'application/gzip').catch(() => 'x');",
  ),
  mutation(
    'walk before the head is published',
    'a head half published',
    archive,
    'const recovered = await publishHead(head.manifest, world);',
    'const recovered = 0;',
  ),
  mutation(
    'a head that has expired is taken for tampered',
    'a head half published, and all of it expired',
    'archiver/publish.ts',
    'if (isOver) return;',
    '',
  ),
  mutation(
    'a head that has expired is published as new',
    'a head half published, and its staged bytes have outlived it',
    'archiver/publish.ts',
    'if (isOver) return;',
    '',
  ),
  mutation(
    'a head is given up before it has expired',
    'a head half published',
    'archiver/publish.ts',
    'if (isOver) return;',
    'if (manifest.seq > 0) return;',
  ),
  mutation(
    'next batch before this one is published',
    'several batches',
    archive,
    publishing,
    publishing.replace('await', 'void').replace(';', '.catch(() => undefined);'),
  ),
  mutation(
    'position from the item',
    'the checkpoint item claims a later position',
    archive,
    'previous: head?.manifest,',
    'previous: head && { ...head.manifest, position: (hint as any).position?.S ?? head.manifest.position },',
  ),
  mutation(
    'head from the item',
    'the checkpoint item is rolled back',
    'archiver/head.ts',
    'if (seqs[0] === hint) return contiguous(team, seqs, hint);',
    'if (seqs[0] === hint) return hint;',
  ),
  mutation(
    'position from commit time instead of walk start',
    'walk over midnight, no lookback',
    gather,
    'position = later(position, earlier(walkStart, step.claim));',
    'position = later(position, earlier(options.clock.now(), step.claim));',
  ),
  mutation(
    'position past the split second',
    'tie over a batch at midnight',
    'archiver/walk.ts',
    'claim: more ? order.claim() : window.to,',
    'claim: more ? new Date(order.claim().getTime() + 1000) : window.to,',
  ),
  mutation(
    'strict > on the instant',
    'tie over a batch at midnight',
    'archiver/intake.ts',
    "if (standing === 'new') {",
    "if (standing === 'new' && !(options.lateBefore && event.instant <= options.lateBefore)) {",
  ),
  mutation(
    'lookback zero',
    'late within the lookback',
    gather,
    'const lookbackMs = previous === undefined ? 0 : lookbackHours * HOUR_MS;',
    'const lookbackMs = previous === undefined ? 0 : 0 * lookbackHours * HOUR_MS;',
  ),
  mutation(
    'an error of publishing is swallowed',
    'several batches',
    archive,
    publishing,
    publishing.replace(';', '.catch(() => undefined);'),
  ),
  mutation('an error of the run is swallowed', 'next run', archive, 'throw error;', 'return emptyReport;'),
  mutation(
    'an error of the source is swallowed',
    'connection reset, a backlog',
    'archiver/source.ts',
    "if (error.kind === 'too-large') return { kind: 'too-large' };",
    "return { kind: 'page', serverTime: undefined, events: [], cursor: undefined };",
  ),
  mutation(
    'a malformed body is an empty page',
    'body cut off, a backlog',
    'archiver/source.ts',
    'if (!(error instanceof PageError)) throw error;',
    "return { kind: 'page', serverTime: undefined, events: [], cursor: undefined };",
  ),
  mutation(
    'the order is trusted',
    'always descending, a backlog',
    'archiver/walk.ts',
    'const shown = ascending && first !== undefined && last !== undefined && first < last;',
    'const shown = last !== undefined;',
  ),
  mutation(
    'id through Number',
    'ids that are one, and ids that are two',
    'shared/event.ts',
    "return token === '' ? undefined : token;",
    "return token === '' ? undefined : String(Number(token));",
  ),
  mutation(
    '412 is always ours',
    'next run',
    'archiver/commit.ts',
    'if (stored === undefined || !stored.equals(envelope)) throw',
    'if (stored === undefined) throw',
  ),
  mutation(
    '412 is never ours',
    'next run',
    'archiver/commit.ts',
    'if (stored === undefined || !stored.equals(envelope)) throw',
    'throw',
  ),
  mutation(
    'known ids are not dropped',
    'nothing new',
    'archiver/known.ts',
    "if (archived !== undefined) return archived === digest ? 'known' : 'revision';",
    '',
  ),
  mutation(
    'ids of this batch are not known',
    'the same event on two pages of one batch',
    'archiver/known.ts',
    'dates.set(dateOf(event.instant), ids.set(event.id, digest));',
    'dates.set(dateOf(event.instant), ids);',
  ),
  mutation(
    'known ids are looked up in the dates met only',
    'edited to another date, the only one of its own',
    'archiver/intake.ts',
    'await known.load([...lookbackDates, ...dates]);',
    'await known.load(dates);',
  ),
  mutation(
    'known ids are forgotten within the lookback',
    'edited to the next date while it pages',
    gather,
    '.getTime() - lookbackMs)));',
    '.getTime())));',
  ),
  mutation(
    'the clock is believed',
    'clock a day ahead',
    gather,
    'if (!hasBegun) walkStart = earlier(walkStart, step.value.serverTime ?? walkStart);',
    '',
  ),
  mutation(
    'the clock is bound by every answer',
    'servers whose clocks differ',
    gather,
    'if (!hasBegun) walkStart = earlier',
    'walkStart = earlier',
  ),
  mutation(
    'an event dated ahead moves the claim',
    'in the order of ids, one dated in the future',
    'archiver/walk.ts',
    'event.instant === undefined || event.instant > now || quarantineReason',
    'event.instant === undefined || quarantineReason',
  ),
  mutation(
    'bounds are not asked early',
    'tie over a batch at midnight',
    'archiver/walk.ts',
    'later(midnight(window.from), options.floor).getTime() - SECOND_MS)',
    'later(midnight(window.from), options.floor).getTime())',
  ),
  mutation(
    'the last bound is now',
    'bounds cut to midnight',
    gather,
    'to: midnight(startedAt, DAYS_AHEAD) };',
    'to: startedAt };',
  ),
  mutation(
    'only the first page is read',
    'tie over a page',
    'archiver/walk.ts',
    'if (cursor === undefined) return false;',
    'return false;',
  ),
  mutation(
    'quarantine is not looked up',
    'drifting on every read',
    'archiver/intake.ts',
    'await dropQuarantined(draft.held, options.team, options.store);',
    '[] as never[];',
  ),
  mutation(
    'what may not be under events/ is put there',
    'dated in the future',
    'shared/event.ts',
    "return event.instant < EARLIEST_INSTANT || event.instant.getTime() > latest ? 'out-of-range' : undefined;",
    'return undefined;',
  ),
  mutation(
    'white space stays',
    'cursor null at the end, pretty printed',
    'shared/event.ts',
    'return readEvent(minify(document, slice));',
    'return readEvent(document.subarray(slice.start, slice.end));',
  ),
  mutation(
    'the attempt is not in the staged name',
    'next run',
    'archiver/commit.ts',
    'const key = batchKey(options.team, seq, options.runId);',
    "const key = batchKey(options.team, seq, '00000000-0000-0000-0000-000000000000');",
  ),
  mutation(
    'the chain is not linked',
    'next run',
    'archiver/commit.ts',
    'previous: head?.hash ?? null',
    'previous: null',
  ),
  mutation('a gap is not recorded', 'outage of 181 days', gather, 'gaps.push(gapBetween(position, floor));', ''),
  mutation('a late event is not counted', 'late within the lookback', 'archiver/intake.ts', 'tally.late += 1;', ''),
  mutation(
    'nothing is swept',
    'late beyond the lookback',
    gather,
    "end === 'complete' ? sweepDate(",
    'false ? sweepDate(',
  ),
  mutation('any team will do', 'the key of another team', 'archiver/intake.ts', 'throw otherTeam();', '{}'),
  mutation(
    'the API key is logged',
    'server errors',
    'archiver/source.ts',
    'const headers = {',
    "journal.debug('asking', { key }); const headers = {",
  ),
  mutation(
    'an event is logged',
    'next run',
    archive,
    "journal.debug('stage', {",
    "journal.debug('stage', { lines: batch.draft.events.map(({ line }) => line.toString()),",
  ),
];
