/**
 * The text of the weekly mail, in files that a person can read: `test/fixtures/mails`. `handler.test.ts` shows when it is sent, and
 * `test/engines/verifier.test.ts` sends it to a topic.
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Anchor } from '../../lambdas/shared/anchor';
import { addMs, DAY_MS, HOUR_MS } from '../../lambdas/shared/time';
import { type ChainCounts, NO_COUNTS } from '../../lambdas/verifier/chain-counts';
import type { Finding, FindingCode } from '../../lambdas/verifier/findings';
import { type MailedTeam, writeMail } from '../../lambdas/verifier/mail';

const NOW = new Date('2026-06-15T03:12:00.000Z');
const bucket = 'postman-audit-archive-storagebucket5cb7c8ea-2b3c4d5e6f7a';
const ago = (days: number) => addMs(NOW, -days * DAY_MS);

function anchor(team: string, days: number, counts: Partial<ChainCounts> = {}): Anchor {
  const verifiedAt = ago(days).toISOString();
  return {
    format: 'postman-audit-archive-anchor/1',
    ...{ team, seq: 5000 - 24 * days, sha256: String(days).padStart(64, '5c'), keyid: '0'.repeat(64), verifiedAt },
    scope: { after: 0, through: 0, sha256: null, roundBegan: verifiedAt },
    inventory: [],
    counts: { ...NO_COUNTS, runs: 5000 - 24 * days, events: 1_200_000, quarantined: 14, ...counts },
    versions: { hidden: 0, several: 0 },
  };
}

/** A team that ran and was verified this night, with 12,345 events in the week. */
function goodTeam(team = 'main', more: Partial<MailedTeam> = {}): MailedTeam {
  return {
    verified: { team, outcome: 'good' },
    findings: [],
    lastRun: addMs(NOW, -HOUR_MS),
    anchor: anchor(team, 0, { events: 1_212_345, late: 3 }),
    before: anchor(team, 7),
    ...more,
  };
}

function finding(code: FindingCode, object: string): Finding {
  return { code, severity: 'finding', team: null, object, detail: 'a detail' };
}

const findings = [
  finding('segment-missing', 'events/team=sales/dt=2026-03-10/0000000002.ndjson.gz'),
  finding('segment-missing', 'events/team=sales/dt=2026-03-11/0000000003.ndjson.gz'),
  finding('object-unlisted', `events/team=sales/${'\u202e'}\r\nAll good\x1b[2K${'x'.repeat(500)}`),
  { ...finding('expired', 'events/team=sales/a'), severity: 'notice' } as const,
];

const slowAnchor: Anchor = {
  ...anchor('slow', 0, { events: 1_212_345 }),
  scope: { after: 0, through: 1000, sha256: null, roundBegan: ago(9).toISOString() },
};

const mails: Readonly<Record<string, readonly MailedTeam[]>> = {
  'a-good-week.txt': [goodTeam(), goodTeam('new', { anchor: anchor('new', 0, { events: 1 }), before: undefined })],
  'a-bad-week.txt': [
    goodTeam(),
    goodTeam('slow', { anchor: slowAnchor }),
    goodTeam('left', { lastRun: ago(9), anchor: anchor('left', 0), before: anchor('left', 7) }),
    goodTeam('outage', {
      anchor: anchor('outage', 0, {
        events: 1_200_012,
        gaps: 1,
        latestGap: { from: '2025-12-10T08:00:00.000Z', to: '2025-12-17T00:12:00.000Z' },
      }),
    }),
    goodTeam('failing', {
      verified: { team: 'failing', outcome: 'failed', detail: 'storage-refused: reading a: AWS answered AccessDenied' },
      anchor: anchor('failing', 2, { events: 1_203_456 }),
    }),
    goodTeam('late', {
      verified: { team: 'late', outcome: 'behind' },
      anchor: anchor('late', 8),
      before: anchor('late', 8),
    }),
    goodTeam('sales', {
      verified: { team: 'sales', outcome: 'findings', findings: 3 },
      findings,
      anchor: anchor('sales', 4, { events: 1_200_789 }),
    }),
    goodTeam('planted', {
      verified: { team: 'planted', outcome: 'findings', findings: 1 },
      findings: [finding('team-without-manifests', 'manifests/team=planted/')],
      ...{ lastRun: undefined, anchor: undefined, before: undefined },
    }),
  ],
};

test.each(Object.entries(mails))('the mail is the one in %s', (file, teams) => {
  const { subject, message } = writeMail(teams, { bucket, now: NOW });
  const expected = readFileSync(join(import.meta.dirname, '../fixtures/mails', file), 'utf8');
  expect(`Subject: ${subject}\n\n${message}`).toBe(expected);
});

test('the heads at the end of the mail are the file that verify --head reads', () => {
  const { message } = writeMail([goodTeam(), goodTeam('other')], { bucket, now: NOW });
  const heads = JSON.parse(message.slice(message.indexOf('\n['), message.lastIndexOf(']') + 1));
  expect(heads).toEqual(
    ['main', 'other'].map((team) => ({
      team,
      seq: 5000,
      sha256: `${'5c'.repeat(31)}50`,
    })),
  );
});

describe('190 teams', () => {
  const names = Array.from({ length: 190 }, (_, i) => `${'x'.repeat(29)}${String(i).padStart(3, '0')}`);
  const codes = [
    'segment-missing',
    'object-unlisted',
    'lock-missing',
    'line-malformed',
    'id-repeated',
    'date-wrong',
  ] as const;
  const worst = codes.flatMap((code) => finding(code, '\u{10ffff}'.repeat(200)));
  const bad = (team: string) =>
    goodTeam(team, { verified: { team, outcome: 'findings', findings: 6 }, findings: worst });

  test('190 teams without trouble need two lines each', () => {
    const lines = writeMail(
      names.map((team) => goodTeam(team)),
      { bucket, now: NOW },
    ).message.split('\n');
    for (const team of names) expect(lines.filter((line) => line.includes(team))).toHaveLength(2);
  });

  test('190 teams with every kind of trouble fit into what SNS accepts, with all heads', () => {
    const { subject, message } = writeMail([...names.map(bad), goodTeam()], { bucket, now: NOW });
    expect(subject).toMatch(/^[ -~]{1,100}$/);
    expect(message).toMatch(/^[\n -~]*$/);
    expect(message.length).toBeLessThanOrEqual(256 * 1024);
    for (const team of [...names, 'main']) expect(message).toContain(`{"team":"${team}","seq":5000,`);
  });

  test('what has no room is counted, and good teams are left out first', () => {
    const { message } = writeMail([goodTeam(), ...names.map(bad), ...names.map(bad)], { bucket, now: NOW });
    expect(message.length).toBeLessThanOrEqual(256 * 1024);
    expect(message).toMatch(/\nand \d+ more teams: see the log of the verifier\n/);
    expect(message).not.toContain('main: good');
  });
});
