/** As a first stack prints it. */
const adopt = {
  bucket: 'postman-audit-archive-storagebucket5cb7c8ea-2b3c4d5e6f7a',
  accessLogs: 'postman-audit-archive-storageaccesslogs96fb524c-2b3c4d5e6f7a',
  table: 'postman-audit-archive-StorageCheckpoints2CDBDF43-1A2B3C4D5E6F7',
  encryptionKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/0b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0',
  signingKeyArn: 'arn:aws:kms:eu-central-1:111122223333:key/1b1c2d3e-4f50-6172-8394-a5b6c7d8e9f0',
};

const auditors = ['arn:aws:iam::444455556666:role/Audit', 'arn:aws:iam::111122223333:user/kim'];

/** The configurations that must deploy: each is `context.archive` of a `cdk.json`. */
export const matrix: Readonly<Record<string, object>> = {
  'one team': { teams: [{ name: 'main' }] },
  'with auditors': { teams: [{ name: 'main' }], auditors },
  'an adopted archive': { teams: [{ name: 'main' }], adopt, auditors: ['arn:aws:iam::777788889999:root'] },
  'a hundred teams': { teams: Array.from({ length: 100 }, (_, i) => ({ name: `team-${i + 1}` })) },
  'every option on': {
    stage: 'acceptance-eu-1',
    teams: [
      {
        name: 'platform',
        apiKeyParameter: '/platform/postman/audit_key.v2',
        baseUrl: 'https://api.eu.postman.com',
        schedule: 'cron(0/15 6-22 ? * MON-FRI *)',
      },
      { name: 'sales', schedule: 'rate(1 day)' },
    ],
    formerTeams: ['acquired-2024', 'lab'],
    lookbackHours: 48,
    maxRequestsPerMinute: 60,
    retention: { mode: 'COMPLIANCE', days: 2557, expireAfterDays: 2600 },
    alarms: { email: 'security@example.com', topicArn: null },
    eventBridge: true,
  },
  'every option off': {
    teams: [{ name: 'main' }],
    formerTeams: [],
    lookbackHours: 1,
    maxRequestsPerMinute: 1,
    retention: { mode: 'GOVERNANCE', days: 1, expireAfterDays: null },
    alarms: { email: null, topicArn: null },
    eventBridge: false,
    adopt: null,
    auditors: [],
  },
  'hostile names': {
    stage: 'x-0--9',
    teams: [
      ...['a', '1', '0000000000', 'a1', 'a-1', 'a--1', 'ax1', 'select', 'null', 'resource', 'default', 'constructor'],
      ...['a'.repeat(32), `${'a'.repeat(15)}-${'a'.repeat(16)}`, 'team', 'dt', 'events', 'manifests'],
    ].map((name) => ({ name, schedule: 'rate(7 days)' })),
    formerTeams: ['main', 'all'],
  },
};
