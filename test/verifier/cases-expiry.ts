/**
 * Data that the bucket deletes by itself. A missing object is excused only by the signed retention of its own manifest, and only
 * if it is old enough by the verifier's clock.
 */
import type { Manifest } from '../../lambdas/shared/manifest';
import type { Retention } from '../../lambdas/shared/retention';
import { DAY_MS } from '../../lambdas/shared/time';
import {
  type BatchSpec,
  buildArchive,
  createSigner,
  eventLine,
  type Objects,
  sampleBatches,
  walkStartOf,
} from '../support/archive-builder';
import { editPayload, perform } from '../support/tampering';
import type { TamperCase } from './cases';

export const PROMISED: Retention = { mode: 'COMPLIANCE', days: 400, expireAfterDays: 500 };
const FOR_GOOD: Retention = { ...PROMISED, expireAfterDays: null };
const LONG_LOCK: Retention = { ...PROMISED, days: 2557 };
const AGES_LATER: Retention = { ...PROMISED, expireAfterDays: Number.MAX_SAFE_INTEGER };
/** All objects of the sample have expired. */
export const OLD = daysAfter(4, 500);
const A_HUNDRED_YEARS = daysAfter(1, 36_500);

const ONE_EVENT: BatchSpec = { events: [eventLine(1, '2026-03-10T00:30:00.000Z')] };

/** All that manifest 1 or 2 lists is missing. */
const GONE_1 = 'batch-missing B1, segment-missing E1a E1b';
const GONE_1B = 'batch-missing B1, segment-missing E1b';
const GONE_2 = 'batch-missing B2, segment-missing E2b Q2a Q2b';
const TIMES_WRONG = `times-wrong M2, ${GONE_2}`;
/** The data of the sample has expired only for somebody who believes in an earlier finish. */
const YOUNG = daysAfter(1, 499);
const DAYS_EARLY = '2026-03-04T00:00:00.000Z';

const GONE: readonly (readonly [
  when: string,
  deeds: string,
  retention: Retention | null,
  now: Date,
  findings: string,
])[] = [
  ['exactly at their expiry', 'lose 1', PROMISED, daysAfter(1, 500), 'expired B1'],
  ['when the lock has ended too', 'lose 1', LONG_LOCK, daysAfter(1, 2557), 'expired B1'],
  ['in part', 'remove E1b B2', PROMISED, OLD, 'expired E1b'],
  ['a millisecond before they expire', 'lose 1', PROMISED, new Date(daysAfter(1, 500).getTime() - 1), GONE_1],
  ['a day after they were archived', 'lose 1', PROMISED, daysAfter(1, 1), GONE_1],
  ['before they were archived by the clock of the verifier', 'lose 1', PROMISED, new Date(0), GONE_1],
  ['while they are under lock', 'lose 1', LONG_LOCK, daysAfter(1, 2556), GONE_1],
  ['where nothing ever expires', 'lose 1', FOR_GOOD, A_HUNDRED_YEARS, GONE_1],
  ['where the manifest states no retention', 'lose 1', null, A_HUNDRED_YEARS, GONE_1],
  ['where their expiry is later than any date', 'lose 1', AGES_LATER, A_HUNDRED_YEARS, GONE_1],
  ['beside younger ones', 'lose 1 2', PROMISED, daysAfter(1, 500), `${GONE_2}, expired B1`],
  ['beside a missing manifest', 'lose 1 2 4, remove M1', PROMISED, OLD, 'manifest-missing M1, expired B2'],
  ['beside a planted object', 'copy E4b E3b, lose 4', PROMISED, OLD, 'expired B4, object-unlisted E3b'],
  // A quarantined revision is not accused where its event has expired.
  ['beside a segment with other content', 'copy E1a E1b, remove B1', PROMISED, OLD, 'expired B1, segment-differs E1b'],
  ['beside a changed batch object', 'copy E1a B2, remove Q2a', PROMISED, OLD, 'batch-differs B2 B2 B2 B2, expired Q2a'],
  // The head may be unpublished until the next run may no longer publish it.
  ['before they expire, unpublished', 'remove E4b', PROMISED, new Date(OLD.getTime() - 1), 'segment-unpublished E4b'],
  ['since their expiry, unpublished', 'remove E4b', PROMISED, OLD, 'expired E4b'],
];

/** A retention that excuses nothing. */
const UNEXCUSED: readonly (readonly [
  whose: string,
  build: () => Promise<Objects>,
  deeds: string,
  findings: string,
  now: Date,
])[] = [
  [
    'of the manifests around it',
    () => buildArchive({ batches: sampleBatches.map((spec, i) => kept(spec, i === 1 ? FOR_GOOD : PROMISED)) }),
    'lose 2',
    GONE_2,
    OLD,
  ],
  ['without a good signature', rewrittenRetention, 'lose 1', `signature-invalid M1, chain-broken M2, ${GONE_1}`, OLD],
  [
    'that another key has signed',
    () => buildArchive({ batches: [kept(ONE_EVENT, PROMISED)], signer: createSigner() }),
    'lose 1',
    `signature-other-key M1, ${GONE_1B}`,
    OLD,
  ],
  [
    'of one day',
    () => buildArchive({ batches: [kept(ONE_EVENT, { ...PROMISED, days: 1, expireAfterDays: 1 })] }),
    'lose 1',
    GONE_1B,
    daysAfter(1, 199),
  ],
  ['of a run that finished in 1970', () => finishing(2, '1970-01-01T00:00:00.000Z'), 'lose 2', TIMES_WRONG, YOUNG],
  ['of a run that finished days before it began', () => finishing(2, DAYS_EARLY), 'lose 2', TIMES_WRONG, YOUNG],
  [
    'of a run that began and finished days before the run before it',
    () => finishing(2, DAYS_EARLY, DAYS_EARLY),
    'lose 2',
    `${TIMES_WRONG}, position-wrong M2`,
    YOUNG,
  ],
  [
    'of a first run that began and finished days before its events',
    () => finishing(1, DAYS_EARLY, DAYS_EARLY),
    'lose 1',
    `times-wrong M1, position-wrong M1, ${GONE_1}`,
    YOUNG,
  ],
  [
    'of a chain that began before 2020',
    () => buildArchive({ batches: [{ ...ONE_EVENT, amend: longAgo }] }),
    'lose 1',
    `times-wrong M1, ${GONE_1B}`,
    YOUNG,
  ],
  [
    'of zero days',
    () => buildArchive({ batches: [kept(ONE_EVENT, { ...PROMISED, days: 0, expireAfterDays: 0 })] }),
    'lose 1',
    'manifest-unreadable M1',
    OLD,
  ],
  [
    'of a run that finished in 1970, of which all is there',
    () => finishing(2, '1970-01-01T00:00:00.000Z'),
    '',
    'times-wrong M2',
    YOUNG,
  ],
];

export const expiryCases: readonly TamperCase[] = [
  ...GONE.map(([when, deeds, retention, now, findings]) =>
    afterDeeds(`objects are gone ${when}`, { build: () => keeping(retention), deeds, findings, now }),
  ),
  ...UNEXCUSED.map(([whose, build, deeds, findings, now]) =>
    afterDeeds(`objects are gone under the retention ${whose}`, { build, deeds, findings, now }),
  ),
];

interface Gone {
  readonly build: () => Promise<Objects>;
  readonly deeds: string;
  readonly findings: string;
  readonly now: Date;
}

function afterDeeds(name: string, { build, deeds, findings, now }: Gone): TamperCase {
  return {
    name,
    findings,
    async tamper() {
      const objects = await build();
      if (deeds !== '') perform(objects, deeds);
      return { objects, now };
    },
  };
}

/** The instant so many days of 24 hours after the batch was finished. */
export function daysAfter(seq: number, days: number): Date {
  return new Date(walkStartOf(seq).getTime() + 20_000 + days * DAY_MS);
}

export function kept(spec: BatchSpec, retention: Retention | null): BatchSpec {
  return { ...spec, amend: (manifest) => ({ ...manifest, retention }) };
}

/** The sample archive with this retention in every manifest. */
export function keeping(retention: Retention | null, more: { readonly team?: string } = {}): Promise<Objects> {
  return buildArchive({ batches: sampleBatches.map((spec) => kept(spec, retention)), ...more });
}

/** The sample archive in which one run states another finish, and another start if one is given. */
function finishing(seq: number, finished: string, walkStart?: string): Promise<Objects> {
  const amend = ({ run, ...manifest }: Manifest): Manifest => {
    const times = manifest.seq === seq ? { finished, walkStart: walkStart ?? run.walkStart } : {};
    return { ...manifest, retention: PROMISED, run: { ...run, ...times } };
  };
  return buildArchive({ batches: sampleBatches.map((spec) => ({ ...spec, amend })) });
}

/** The manifest as of 2019, with a retention. */
function longAgo(manifest: Manifest): Manifest {
  const text = JSON.stringify({ ...manifest, retention: PROMISED });
  return JSON.parse(text.replace(/2026(-\d\d-\d\dT)/g, '2019$1'));
}

/** An archive without expiry, in whose first manifest somebody has written that its data expires. */
async function rewrittenRetention(): Promise<Objects> {
  const objects = await keeping(FOR_GOOD);
  editPayload(objects, 'M1', (manifest) => ({ ...manifest, retention: PROMISED }));
  return objects;
}
