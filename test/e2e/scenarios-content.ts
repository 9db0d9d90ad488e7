/** What a log can hold. */
import type { Scenario, World } from '../support/scenario';
import { linesUnder } from '../support/stored-lines';
import { edited } from '../support/team-log';

const SECONDS_A_DAY = 86_400;

export const content: readonly Scenario[] = [
  {
    name: 'a first run archives all that the source keeps',
    play: async ({ source, run }) => {
      source.happen(3, { hoursAgo: 24 * 179 });
      source.happen(310, { hoursAgo: 24 * 40 });
      source.happen(5, { hoursAgo: 1 });
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 1, counts: { events: 318, late: 0 } });
    },
  },
  {
    name: 'a team without events has a chain all the same',
    play: async ({ owner, run }) => {
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 1, counts: { events: 0 } });
      expect(await run()).toMatchObject({ outcome: 'archived', seq: 2, counts: { events: 0 } });
      expect([...(await owner.objects()).keys()]).toEqual([
        'manifests/team=main/0000000001.json',
        'manifests/team=main/0000000002.json',
      ]);
    },
  },
  {
    name: 'a next run archives what is new, and one that finds nothing says so',
    play: async ({ source, run }) => {
      source.happen(20, { hoursAgo: 8 });
      await run();
      source.happen(7);
      expect(await run()).toMatchObject({ outcome: 'archived', manifests: 1, seq: 2, counts: { events: 7 } });
      expect(await run()).toMatchObject({ outcome: 'archived', manifests: 1, seq: 3, counts: { events: 0 } });
    },
  },
  {
    name: 'more events in one second than a page holds',
    play: async ({ source, run }) => {
      source.happen(901, { hoursAgo: 30, tied: true });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 901 } });
      source.happen(601, { tied: true });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 601 } });
    },
  },
  {
    name: 'an event that appears hours late is archived as late',
    play: async ({ source, run }) => {
      source.happen(20, { hoursAgo: 1 });
      await run();
      source.happen(2, { hoursAgo: 5 });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 2, late: 2 } });
    },
  },
  {
    name: 'an event that appears days late is found by the sweep within a day of runs',
    play: async ({ source, run }) => {
      source.happen(20, { hoursAgo: 1 });
      await run();
      source.happen(1, { hoursAgo: 72 });
      let late = 0;
      for (let hour = 0; hour < 24 && late === 0; hour += 1) late = (await run()).counts?.late ?? 0;
      expect(late).toBe(1);
    },
  },
  {
    name: 'ids beyond 2^53 that differ in their last digit only',
    play: async ({ source, run }) => {
      putByHand(source, (timestamp) => [
        `{"id":9007199254740992,"timestamp":"${timestamp}"}`,
        `{"id":9007199254740993,"timestamp":"${timestamp}"}`,
        `{"id":"01","timestamp":"${timestamp}"}`,
        `{"id":1,"timestamp":"${timestamp}"}`,
      ]);
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 4 } });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0, revisions: 0 } });
    },
  },
  {
    name: 'numbers, keys and texts that no serialiser would write the same way again',
    play: async ({ source, run }) => {
      putByHand(source, (timestamp) => [
        `{"id":1,"timestamp":"${timestamp}","n":[9007199254740993,1e400,1.0,-0,1E+2]}`,
        `{"id":2,"timestamp":"${timestamp}","a":1,"a":2,"A":3,"__proto__":{},"10":1,"2":2}`,
        `{"id":3,"timestamp":"${timestamp}","t":"\\ud800 \\u0000 \\u2028 \u2028 \\n \\/ ../../etc/passwd"}`,
        `{"id":4,"timestamp":"${timestamp}","deep":${'['.repeat(100)}${']'.repeat(100)}}`,
        `{"id":5,"timestamp":"${timestamp.slice(0, 19)}+05:30","data":{"variables":"{\\"users\\":[]}"}}`,
      ]);
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 5 } });
    },
  },
  {
    name: 'what is unfit for events is quarantined once for each reason, however often it is served',
    play: async ({ source, run }) => {
      const timestamp = new Date().toISOString();
      source.misbehave(
        `{"timestamp":"${timestamp}","action":"no id"}`,
        `{"id":null,"timestamp":"${timestamp}"}`,
        `{"id":"","timestamp":"${timestamp}"}`,
        '{"id":101}',
        '{"id":102,"timestamp":"last Tuesday"}',
        `{"id":103,"timestamp":"${timestamp.slice(0, 17)}60.000Z"}`,
        '{"id":104,"timestamp":"1970-01-01T00:00:00.000Z"}',
        '{"id":105,"timestamp":"9999-12-31T23:59:59.000Z"}',
      );
      const [huge, small] = [source.happen(1, { bytes: 17 * 2 ** 20 }), source.happen(1)];
      for (const { raw } of huge) source.unfit.add(raw);
      const quarantined = { 'no-id': 3, 'bad-timestamp': 3, 'out-of-range': 2, oversize: 1, revision: 0 };
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 1, quarantined } });
      for (const event of small) source.edit(event);
      const once = { 'no-id': 0, 'bad-timestamp': 0, 'out-of-range': 0, oversize: 0, revision: 1 };
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0, quarantined: once } });
      const none = { ...once, revision: 0 };
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0, quarantined: none } });
    },
  },
  {
    name: 'bodies that drift with every read are archived once, and held once',
    source: { drift: (raw, request) => edited(raw, `read ${request}`) },
    play: async ({ source, owner, run }) => {
      source.happen(30, { hoursAgo: 1 });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 30 } });
      for (let again = 0; again < 4; again += 1) await run();
      expect(linesUnder(await owner.objects(), 'quarantine/')).toHaveLength(30);
    },
  },
  {
    name: 'what the source drops or edits later stays as it was',
    play: async ({ source, owner, run }) => {
      const [dropped, changed] = source.happen(2, { hoursAgo: 2 });
      await run();
      if (dropped) source.drop(dropped);
      if (changed) source.edit(changed);
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0, quarantined: { revision: 1 } } });
      const lines = linesUnder(await owner.objects(), 'events/');
      expect(lines.sort()).toEqual([dropped?.raw, changed?.raw].sort());
    },
  },
  {
    name: 'an event dated ahead does not drag the position along, and one dated days ahead is quarantined',
    play: async ({ source, run }) => {
      source.happen(1, { hoursAgo: -20 });
      for (const { raw } of source.happen(1, { hoursAgo: -50 })) source.unfit.add(raw);
      const counts = { events: 1, quarantined: { 'out-of-range': 1 } };
      const { position = '' } = expectArchived(await run(), counts);
      expect(Date.parse(position)).toBeLessThanOrEqual(Date.now());
      source.happen(3);
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 3 } });
    },
  },
  {
    name: 'a backlog of several batches',
    source: { maxLimit: 10 },
    play: async ({ source, run }) => {
      source.happen(40, { hoursAgo: 40, bytes: 300_000 });
      expect(await run()).toMatchObject({ outcome: 'archived', manifests: 2, counts: { events: 40 } });
    },
  },
  {
    name: 'the key of another Postman team is refused, until the operator accepts it',
    play: async (world) => {
      const { source, owner, run } = world;
      const ours = source.happen(5, { hoursAgo: 2 });
      await run();
      for (const event of ours) source.drop(event);
      source.happen(5, { hoursAgo: 1, team: 70_000_002 });
      const before = [...(await owner.objects()).keys()];
      expect(await run()).toMatchObject({ outcome: 'failed', code: 'team-mismatch' });
      expect([...(await owner.objects()).keys()]).toEqual(before);
      expect(await run({ acceptOtherTeam: true })).toMatchObject({ outcome: 'archived', counts: { events: 5 } });
      expect(await run()).toMatchObject({ outcome: 'archived', counts: { events: 0 } });
    },
  },
];

function expectArchived<T>(ended: T, counts: object): T {
  expect(ended).toMatchObject({ outcome: 'archived', counts });
  return ended;
}

/** Texts with an instant of an hour ago, as no builder would write them. */
function putByHand(source: World['source'], texts: (timestamp: string) => readonly string[]): void {
  const at = Math.floor(Date.now() / 1000 - SECONDS_A_DAY / 24) * 1000;
  source.put(texts(new Date(at).toISOString()).map((raw, row) => ({ row, at, raw })));
}
