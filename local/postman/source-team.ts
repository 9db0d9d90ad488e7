/**
 * The events of a realistic Postman team. The same seed and anchor give the same events, byte for byte, on every machine,
 * and a team that is played beyond its anchor only gets more events. Nothing here knows how events are served.
 */
import { DAY_MS, MINUTE_MS } from '../../lambdas/shared/time';
import { createRandom } from './random';
import type { SourceEvent } from './source-table';
import { ODD_EVENTS } from './team-odd-events';
import { type Person, personOf } from './team-people';
import { type Act, actsOf, leavingInstant, workAct } from './team-story';

export interface TeamOptions {
  readonly seed: number;
  /** The instant of the first start. The first event of the team lies `days` before it. */
  readonly anchor: Date;
  readonly days?: number;
  readonly eventsPerDay?: number;
}

export interface Arrival {
  readonly at: Date;
  /** From this instant on the event is served. */
  readonly visibleFrom: Date;
}

/** All teams of Postman share one sequence of ids, so they grow with time and have gaps. Arrivals have the odd ids. */
const FIRST_ROW = 558_306_000;
const FIRST_ARRIVAL = 560_000_001;
const DAYS_BETWEEN_ODD_EVENTS = 6;
/** On each of these days one event is ten days late, the last one until after the anchor. Only the sweep finds them. */
const VERY_LATE_DAYS = [20, 60, 150, 172];

export function createSourceTeam(options: TeamOptions) {
  const { seed, anchor, days = 180, eventsPerDay = 200 } = options;
  const firstDay = Math.floor(anchor.getTime() / DAY_MS - days) * DAY_MS;
  let [played, lastRow] = [0, FIRST_ROW];

  /** The live log shows the flag `active` as it is at the read, so the last events of a person change when they leave. */
  function bodies(act: Act, id: number): Pick<SourceEvent, 'raw' | 'later'> {
    const left = act.systemId === undefined ? leavingInstant(firstDay + act.actor.leaves * DAY_MS) : Infinity;
    const raw = render(act, id, act.at < left);
    if (act.at >= left || left - act.at > 7 * DAY_MS) return { raw };
    return { raw, later: [{ from: left, raw: render(act, id, false) }] };
  }

  function day(number: number): SourceEvent[] {
    const start = firstDay + number * DAY_MS;
    const random = createRandom(`${seed}/arrivals/${number}`);
    const takeRow = () => {
      lastRow += 2 * (1 + random.below(15));
      return lastRow;
    };
    const acts = actsOf({ seed, day: number, start, eventsPerDay }).sort((a, b) => a.at - b.at);
    const events = acts.map((act, index): SourceEvent => {
      const row = takeRow();
      const veryLate = index === 5 && VERY_LATE_DAYS.includes(number);
      const delay = random.chance(0.005) ? random.below(300) * MINUTE_MS : random.below(10) * 1000;
      return { row, at: act.at, visibleFrom: act.at + (veryLate ? 10 * DAY_MS : delay), ...bodies(act, row) };
    });
    const odd = ODD_EVENTS[(number - 5) / DAYS_BETWEEN_ODD_EVENTS];
    if (odd === undefined) return events;
    const [row, at] = [takeRow(), start + 37_812_000];
    return [...events, { row, at, visibleFrom: at, raw: odd.raw(String(row), at) }];
  }

  return {
    /** The events of all days up to the day of `now`, without those of earlier calls. Some become visible later. */
    playTo: (now: Date): readonly SourceEvent[] => {
      const events: SourceEvent[] = [];
      for (; firstDay + played * DAY_MS <= now.getTime(); played += 1) events.push(...day(played));
      return events;
    },
    /** The event with this number outside of the story. */
    arrival: (number: number, { at, visibleFrom }: Arrival): SourceEvent => {
      const random = createRandom(`${seed}/arrival/${number}`);
      const actor = personOf(random.below(3), seed);
      const row = FIRST_ARRIVAL + 2 * number;
      const act = workAct(actor, at.getTime(), random);
      return { row, at: act.at, visibleFrom: visibleFrom.getTime(), ...bodies(act, row) };
    },
  };
}

const TEAM = { name: 'Acme Payments', id: 70_000_001 };

function render(act: Act, id: number, active: boolean): string {
  const { actor, action, message, ip, variables, at } = act;
  const data = { ...peopleOf(act, active), team: TEAM };
  const client = { ip, userAgent: ip === null ? null : actor.userAgent };
  const what = { action, timestamp: new Date(at).toISOString(), message };
  return JSON.stringify({ id, ...client, ...what, data: { ...data, variables } });
}

function peopleOf({ actor, target, systemId }: Act, active: boolean): object {
  if (systemId !== undefined)
    return { actor: { name: 'Postman Internal System', id: systemId, active: true }, user: user(actor) };
  const { name, username, email, id } = actor;
  return { actor: { name, username, email, id, active }, user: target && user(target) };
}

/** The live service can give one person another id as the user of an event than as the actor. */
function user({ id, name, email, username }: Person): object {
  return { id: id + 10_000_000, name, email, username };
}
