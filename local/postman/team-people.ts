/**
 * The people of the demo team. A person, with the days on which they join and leave, depends on the seed and on the
 * person's number alone, so the team is the same however often and however far it is played.
 */
import { createRandom } from './random';

export type Person = ReturnType<typeof personOf>;

const FOUNDERS = 64;
const DAYS_BETWEEN_JOINERS = 4;
/** Every ninth person leaves, one about every thirty days. The sixth of them leaves on the day after the anchor. */
const leavingDay = (nth: number): number => Math.floor(32 + 29.8 * nth);

/** An administrator who does nothing any more, and whose rights nobody takes back. */
export const DORMANT = { number: 6, lastDay: 105 };

const FIRST = ['Ada', 'Grace', 'Edsger', 'Barbara', 'Ken', 'Radia', 'Priya', 'Arjun', 'Zoë', 'Søren', "D'Arcy", '李娜'];
const LAST = ['Turner', 'Okafor', 'Schmidt', 'Iyer', 'Novak', 'García', 'Berg', 'Tanaka', 'Silva', 'Haddad', 'Patel'];
const OFFICES = [
  { utcOffset: 1, v4: '203.0.113', v6: '2001:db8:1' },
  { utcOffset: 5.5, v4: '198.51.100', v6: '2001:db8:2' },
  { utcOffset: -6, v4: '192.0.2', v6: '2001:db8:3' },
];
/** The networks of the offices, as prefixes separated by commas. */
export const OFFICE_NETWORKS = OFFICES.flatMap(({ v4, v6 }) => [`${v4}.0/24`, `${v6}::/48`]).join(',');

/** Somebody who left, and whose password went on to work. */
export const LEAVER = { number: 13, email: 'member-13@example.com' };
const USER_AGENTS = [
  'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/137.0.0.0 Safari/537.36',
  'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0',
  'PostmanRuntime/7.44.1',
];

/** Everyone who has joined by that day of the team, including those who have left. */
export function peopleBy(day: number, seed: number): readonly Person[] {
  const headcount = FOUNDERS + Math.max(0, Math.floor(day / DAYS_BETWEEN_JOINERS));
  return Array.from({ length: headcount }, (_, number) => personOf(number, seed));
}

export function personOf(number: number, seed: number) {
  const random = createRandom(`${seed}/person/${number}`);
  const office = random.pick(OFFICES);
  const external = number % 11 === 7;
  const username = `member-${number}`;
  return {
    id: 60_000_003 + number * 37,
    // 12 and 11 have no common divisor, so there are 132 different names.
    name: `${FIRST[number % FIRST.length]} ${LAST[number % LAST.length]}`,
    username,
    email: `${username}@${external ? 'partner.example' : 'example.com'}`,
    /** Hours to add to UTC for the local time. */
    utcOffset: office.utcOffset,
    ips: [
      `${office.v4}.${1 + (number % 250)}`,
      `${office.v4}.254`,
      `${office.v6}::${(number + 16).toString(16)}`,
    ] as const,
    userAgent: random.pick(USER_AGENTS),
    external,
    /** Day of the team, counted from 0. The founders joined before that. */
    joins: number < FOUNDERS ? -1 : (number - FOUNDERS + 1) * DAYS_BETWEEN_JOINERS,
    leaves: number % 9 === 4 ? leavingDay((number - 4) / 9) : Infinity,
    /** The last day on which the person does anything, where that is before the day of leaving. */
    restsAfter: number === DORMANT.number ? DORMANT.lastDay : Infinity,
  };
}
