import { createTeamCheck } from '../../lambdas/archiver/source-team';
import { type AuditEvent, readEvent } from '../../lambdas/shared/event';

/** An event whose `data.team.id` is this JSON token. */
function eventOf(team: string, timestamp = '2026-06-12T10:00:00.000Z'): AuditEvent {
  return served(`{"id":1,"timestamp":"${timestamp}","data":{"team":{"id":${team}}}}`);
}

function served(text: string): AuditEvent {
  return readEvent(Buffer.from(text));
}

const nameless = served('{"id":1,"timestamp":"2026-06-12T10:00:00.000Z"}');
const hundred = Array.from({ length: 100 }, (_, n) => String(1000 + n));

interface Case {
  readonly name: string;
  readonly chain?: readonly string[];
  readonly acceptedId?: string;
  readonly pages: readonly (readonly AuditEvent[])[];
  readonly met: readonly string[];
}

test.each<Case>([
  {
    name: 'a chain that has met no team notes every team that it meets, sorted by raw token',
    pages: [[eventOf('70000002'), eventOf('"70000001"'), nameless]],
    met: ['70000001', '70000002'],
  },
  {
    name: 'a first page that names a team of the chain lets in whatever else comes along, then and later',
    chain: ['1'],
    pages: [[nameless, eventOf('2'), eventOf('1')], [eventOf('3')]],
    met: ['1', '2', '3'],
  },
  {
    name: 'another team is let in by a deliberate override',
    chain: ['1'],
    acceptedId: '2',
    pages: [[eventOf('2')]],
    met: ['1', '2'],
  },
  {
    name: 'a chain that has met a hundred teams can no longer tell which are its own',
    chain: hundred,
    pages: [[eventOf('7')]],
    met: hundred,
  },
  {
    name: 'a hundred teams are noted at most',
    pages: [[...hundred.map((team) => eventOf(team)), eventOf('7')]],
    met: hundred,
  },
])('$name', ({ chain = [], acceptedId, pages, met }) => {
  const check = createTeamCheck(chain, acceptedId ?? null);
  for (const page of pages) check.meet(page);
  expect(check.met()).toEqual(met);
});

test.each([
  ['a team that the chain has never met and that is not the accepted one', ['1'], [nameless, eventOf('2')]],
  ['a team whose token differs beyond a double', ['9007199254740992'], [eventOf('9007199254740993')]],
  ['a team that only an event without an instant names', ['1'], [eventOf('2', 'soon')]],
])('%s is refused', (_name, chain, events) => {
  const check = createTeamCheck(chain, 'accepted');
  check.meet([nameless]);
  expect(() => check.meet(events)).toThrow(expect.objectContaining({ code: 'team-mismatch' }));
});

test.each([
  '""',
  '"a b"',
  `"${'x'.repeat(65)}"`,
  '"\\u0041"',
  '1.5',
  'null',
])('the token %s is no team, and goes into no manifest', (token) => {
  const check = createTeamCheck(['1'], null);
  check.meet([eventOf(token)]);
  expect(check.met()).toEqual(['1']);
});
