/** The rule of docs/settings.md, which a SIEM is given, against an event of S3 as EventBridge delivers it. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

type Pattern = { readonly [field: string]: Pattern | readonly (string | { readonly prefix: string })[] };

const settings = readFileSync(join(import.meta.dirname, '../../docs/settings.md'), 'utf8');
const [, rule = ''] = /^```json\n(\{\n {2}"source".*?)^```$/ms.exec(settings) ?? [];
const pattern: Pattern = JSON.parse(rule.replace('<Bucket>', 'archive'));

/** Source of the form: "Amazon S3 event notification types and destinations" and "EventBridge mapping" in the S3 user guide. */
function event({
  bucket = 'archive',
  key = 'events/team=main/dt=2026-06-12/0000000042.ndjson.gz',
  type = 'Object Created',
}) {
  return {
    version: '0',
    id: '17793124-05d4-b198-2fde-7ededc63b103',
    'detail-type': type,
    source: 'aws.s3',
    account: '111122223333',
    time: '2026-06-12T21:01:12Z',
    region: 'eu-central-1',
    resources: [`arn:aws:s3:::${bucket}`],
    detail: {
      version: '0',
      bucket: { name: bucket },
      object: {
        key,
        size: 5,
        etag: 'b1946ac92492d2347c6235b4d2611184',
        'version-id': 'I',
        sequencer: '617f08299329d189',
      },
      'request-id': 'N4N7GDK58NMKJ12R',
      requester: '111122223333',
      'source-ip-address': '192.0.2.1',
      reason: 'PutObject',
    },
  };
}

/** As EventBridge matches: each field of the pattern must be there, with one of the values or with a prefix. */
function matches(wanted: Pattern, value: unknown): boolean {
  return Object.entries(wanted).every(([field, each]) => {
    const found = (Object(value) as Readonly<Record<string, unknown>>)[field];
    if (!isList(each)) return matches(each, found);
    return each.some((one) => (typeof one === 'string' ? found === one : `${found}`.startsWith(one.prefix)));
  });
}

function isList(value: Pattern[string]): value is readonly (string | { readonly prefix: string })[] {
  return Array.isArray(value);
}

test.each([
  ['a new segment of events', {}, true],
  ['a segment of another bucket', { bucket: 'archive2' }, false],
  ['a new manifest', { key: 'manifests/team=main/0000000042.json' }, false],
  ['a quarantined segment', { key: 'quarantine/team=main/dt=2026-06-12/0000000042.ndjson.gz' }, false],
  ['a deleted segment', { type: 'Object Deleted' }, false],
])('the rule for a SIEM decides on %s', (_, given, taken) => {
  expect(matches(pattern, event(given))).toBe(taken);
});
