/** What the chain says about the time that is read again. `11:30` is that time on 12 June 2026, and `11T09:00` is of 11 June. */
import { lastFullWalk, provableSince } from '../../lambdas/archiver/read-again';
import type { Manifest } from '../../lambdas/shared/manifest';
import { type Area, segmentKey } from '../../lambdas/shared/object-keys';
import { dateOf } from '../../lambdas/shared/time';
import { aManifest } from '../support/manifest';
import { aChain } from '../support/run';

function iso(time: string): string {
  return `2026-06-${time.length > 5 ? time : `12T${time}`}:00.000Z`;
}

function told(instant: Date | undefined): string | undefined {
  return instant?.toISOString().replace(/^2026-06-(12T)?(.*):00\.000Z$/, '$2');
}

/** A manifest of a walk: its start, the instant from which it read, and why its batch was sealed. */
type Walk = readonly [walkStart: string, from: string, reason?: Manifest['run']['reason']];

function walkManifest([walkStart, from, reason = 'complete']: Walk): Partial<Manifest> {
  const run = { ...aManifest().run, walkStart: iso(walkStart), reason };
  return { run, window: { from: iso(from), to: iso(walkStart) }, segments: [] };
}

test.each<[string, number, readonly Walk[], string | undefined]>([
  ['a chain without a manifest has no full walk', 6, [], undefined],
  [
    'a walk that read the whole lookback is full',
    6,
    [
      ['11:00', '04:00'],
      ['12:00', '05:00'],
    ],
    '12:00',
  ],
  [
    'walks that read a short time again are passed over',
    6,
    [
      ['11:00', '04:00'],
      ['11:15', '10:45'],
      ['11:30', '11:00'],
    ],
    '11:00',
  ],
  [
    'the newest walk counts although it was interrupted',
    6,
    [
      ['11:00', '04:00'],
      ['12:00', '05:00', 'deadline'],
    ],
    '12:00',
  ],
  [
    'an interrupted walk that another continued does not count',
    6,
    [
      ['10:00', '03:00'],
      ['11:00', '04:00', 'deadline'],
      ['11:30', '11:15'],
    ],
    '10:00',
  ],
  [
    'a full batch of an earlier walk does not count',
    6,
    [
      ['10:00', '03:00'],
      ['11:00', '04:00', 'batch-full'],
      ['11:00', '05:30'],
    ],
    '10:00',
  ],
  [
    'the first manifest counts where none is full',
    6,
    [
      ['11:00', '11:00'],
      ['11:15', '10:45'],
      ['11:30', '11:00'],
    ],
    '11:00',
  ],
  [
    'no walk before the lookback and two hours is looked for',
    1,
    [
      ['08:00', '01:00'],
      ['08:30', '08:15'],
      ['11:30', '11:15'],
      ['11:45', '11:15'],
    ],
    '08:30',
  ],
  [
    'without a lookback, every walk is full',
    0,
    [
      ['11:00', '10:00'],
      ['11:30', '11:00'],
    ],
    '11:30',
  ],
  [
    'with a lookback of a quarter of an hour, every walk is full',
    0.25,
    [
      ['11:00', '10:00'],
      ['11:30', '10:45'],
    ],
    '11:30',
  ],
  [
    'a walk is not full because the time since the walk before is longer than the lookback',
    0.5,
    [
      ['11:00', '09:30'],
      ['11:30', '10:45'],
      ['11:54', '11:15'],
    ],
    '11:00',
  ],
  [
    'with a lookback of half an hour, a walk from a lookback before the last full one is full',
    0.5,
    [
      ['11:00', '09:30'],
      ['11:30', '10:45'],
      ['12:00', '10:30'],
    ],
    '12:00',
  ],
])('%s', async (_name, lookbackHours, walks, expected) => {
  expect(told(await lastFullWalk(await aChain(walks.map(walkManifest)), lookbackHours))).toBe(expected);
});

/** The first and the last instant of a segment, in its area. */
type Entry = readonly [area: Area, first: string, last: string];

function archiveManifest(entries: readonly Entry[], latest: string | null): Partial<Manifest> {
  const [model] = aManifest().segments;
  if (model === undefined) throw new Error('the model of a manifest has a segment');
  const segments = entries.map(([area, first, last]) => {
    const key = segmentKey(area, 'main', dateOf(new Date(iso(first))), 1);
    return { ...model, key, first: iso(first), last: iso(last) };
  });
  return { segments, latest: latest === null ? null : iso(latest) };
}

test.each<[string, string, readonly [readonly Entry[], string | null][], string | undefined]>([
  ['the instant of an archived event before the bound', '11:00', [[[['events', '08:00', '10:00']], '10:00']], '10:00'],
  [
    'the instant of the bound itself, where an event has it',
    '11:00',
    [[[['events', '08:00', '11:00']], '11:00']],
    '11:00',
  ],
  [
    'the beginning of a segment that ends after the bound',
    '11:00',
    [[[['events', '08:00', '11:30']], '11:30']],
    '08:00',
  ],
  [
    'the latest of several instants before the bound',
    '11:00',
    [
      [[['events', '07:00', '07:30']], '07:30'],
      [[['events', '08:00', '11:30']], '11:30'],
    ],
    '08:00',
  ],
  [
    'the bound where only later events of its day are archived',
    '11:00',
    [
      [[['events', '11T08:00', '11T09:00']], '11T09:00'],
      [[['events', '11:10', '11:30']], '11:30'],
    ],
    '11:00',
  ],
  [
    'the latest instant before the manifests that are read',
    '11:00',
    [
      [[['events', '09:00', '10:30']], '10:30'],
      [[], '10:30'],
    ],
    '10:30',
  ],
  [
    'no instant where the archive holds no event of the day',
    '11:00',
    [[[['events', '11T08:00', '11T09:00']], '11T09:00']],
    undefined,
  ],
  [
    'no instant where only quarantine holds lines of the day',
    '11:00',
    [[[['quarantine', '08:00', '11:30']], '11:30']],
    undefined,
  ],
  ['no instant where the archive is empty', '11:00', [[[], null]], undefined],
  [
    'no instant for a bound at midnight, because the whole day is asked for',
    '00:00',
    [[[['events', '08:00', '10:00']], '10:00']],
    undefined,
  ],
])('the walk asks from %s', async (_name, bound, manifests, expected) => {
  const chain = await aChain(manifests.map(([entries, latest]) => archiveManifest(entries, latest)));
  expect(told(await provableSince(chain, new Date(iso(bound))))).toBe(expected);
});
