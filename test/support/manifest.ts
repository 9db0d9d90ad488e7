import { FORMAT, type Manifest } from '../../lambdas/shared/manifest';

const HASH = 'a'.repeat(64);

/** A manifest in which every optional part is present. */
export function aManifest(fields: Partial<Manifest> = {}): Manifest {
  return {
    format: FORMAT,
    team: 'main',
    seq: 2,
    previous: HASH,
    run: {
      id: '5b4a4b0e-8f0c-4b0e-9d2e-0d9a4f0f7a11',
      scheduledTime: '2026-06-12T12:00:00.000Z',
      walkStart: '2026-06-12T12:00:01.000Z',
      finished: '2026-06-12T12:00:09.000Z',
      codeVersion: '0.1.0',
      reason: 'complete',
      source: 'https://api.getpostman.com',
    },
    start: '2025-12-14T00:00:00.000Z',
    window: { from: '2026-06-12T05:00:00.000Z', to: '2026-06-12T12:00:01.000Z' },
    position: '2026-06-12T12:00:01.000Z',
    latest: '2026-06-12T11:00:00.000Z',
    counts: {
      pages: 2,
      requests: 3,
      events: 1,
      late: 0,
      known: 4,
      revisions: 0,
      quarantined: { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 0 },
    },
    gaps: [{ from: '2025-12-14T00:00:00.000Z', to: '2025-12-15T00:00:00.000Z', reason: 'retention' }],
    sweeps: [{ date: '2026-06-01', status: 'complete', served: 5, archived: 5, late: 0, missing: 0, changed: 0 }],
    sweepTurn: 7,
    sweptAt: '2026-06-12T12:00:01.000Z',
    sourceTeams: ['70000001'],
    retention: { mode: 'COMPLIANCE', days: 400, expireAfterDays: 500 },
    batch: { key: 'batches/team=main/0000000002-5b4a4b0e.gz', bytes: 120 },
    segments: [
      {
        key: 'events/team=main/dt=2026-06-12/0000000002.ndjson.gz',
        offset: 0,
        length: 120,
        objectSha256: HASH,
        lines: 1,
        bytes: 300,
        sha256: HASH,
        first: '2026-06-12T11:00:00.000Z',
        last: '2026-06-12T11:00:00.000Z',
      },
    ],
    lowS: true,
    ...fields,
  };
}
