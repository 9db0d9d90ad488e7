/**
 * The archive that the SQL tests ask: written by the bundled handler from two sources, in several runs, with late
 * events, a revision, a gap, quarantine and every odd shape; and what the sources served, to compare with.
 */
import type { SourceEvent } from '../../../local/postman/source-table';
import { ODD_EVENTS } from '../../../local/postman/team-odd-events';
import type { OpenBackend } from '../backend';
import type { RunChange } from '../lambda';
import { openWorld, type World } from '../scenario';
import { edited, startTeamLog, type TeamLog } from '../team-log';
import type { Archived, QuarantineRow } from './answers';
import { tokenAt } from './first-wins';
import { DAY_MS, firstLogs, lateLog, recentAct } from './logs';
import { chainsOf, type EventRow, eventRow, eventRows, type Objects, placesOf } from './rows';

export interface AskedArchive extends Archived {
  readonly now: Date;
  /** Of the oldest event. */
  readonly firstDay: string;
  readonly objects: Objects;
  readonly world: World;
  close(): Promise<void>;
}

const API_KEY = 'PMAK-of-eu';
const PARAMETER = '/postman-audit-archive/eu/api-key';
/** Every day of the last week is swept within a day of hourly runs. */
const MOST_RUNS = 40;

/** `leftOut`: what the engine that will be asked is known to show otherwise. */
export async function openAskedArchive(
  openBackend: OpenBackend,
  leftOut: readonly string[] = [],
): Promise<AskedArchive> {
  const world = await openWorld({}, openBackend);
  const eu = await startTeamLog({ shape: 'contract', apiKey: API_KEY, settings: {} });
  const close = async () => {
    await eu.close();
    await world.close();
  };
  try {
    return { ...(await archiveBoth(world, eu, leftOut)), close };
  } catch (error) {
    // Or the servers would keep the test process from ending.
    await close();
    throw error;
  }
}

async function archiveBoth(
  world: World,
  eu: TeamLog,
  leftOut: readonly string[],
): Promise<Omit<AskedArchive, 'close'>> {
  const now = new Date();
  const logs = firstLogs(now, leftOut);
  const recent = recentAct(now);
  const late = { main: lateLog(now, 'main'), eu: lateLog(now, 'eu') };
  world.source.put([...logs.main, recent]);
  eu.put(logs.eu);

  await world.owner.putKey(PARAMETER, API_KEY);
  const startDate = new Date(now.getTime() - 200 * DAY_MS).toISOString();
  const asEu = { team: 'eu', apiKeyParameter: PARAMETER, baseUrl: eu.url, startDate };
  expect(await world.run(asEu)).toMatchObject({ outcome: 'archived', gaps: 1 });
  expect(await world.run()).toMatchObject({ outcome: 'archived' });
  world.source.edit(recent);
  world.source.put(late.main);
  eu.put(late.eu);
  await runUntilArchived(world, late.main);
  const objects = await runUntilArchived(world, late.eu, asEu);

  const chains = chainsOf(objects);
  const fitting = (events: readonly SourceEvent[]) => events.map(({ raw }) => raw).filter((raw) => !isUnfit(raw));
  const main = fitting([...logs.main, recent, ...late.main]);
  const events = eventRows({ main, eu: fitting([...logs.eu, ...late.eu]) }, objects);
  const unfit = (events: readonly SourceEvent[]) => events.map(({ raw }) => raw).filter(isUnfit);
  return {
    now,
    firstDay: events.map(({ dt }) => dt).sort()[0] ?? '',
    objects,
    world,
    chains,
    events,
    quarantine: [
      ...quarantineRows('main', [...unfit(logs.main), edited(recent.raw)], { objects, chains }),
      ...quarantineRows('eu', unfit(logs.eu), { objects, chains }),
    ],
  };
}

async function runUntilArchived(world: World, late: readonly SourceEvent[], change?: RunChange): Promise<Objects> {
  for (let run = 0; run < MOST_RUNS; run += 1) {
    expect(await world.run(change)).toMatchObject({ outcome: 'archived' });
    const objects = await world.owner.objects();
    const stored = new Set(placesOf(objects, 'events').map(({ line }) => line));
    if (late.every(({ raw }) => stored.has(raw))) return objects;
  }
  throw new Error('the sweep has not come to every late event');
}

function isUnfit(raw: string): boolean {
  const names = ODD_EVENTS.filter(({ quarantine }) => quarantine).map(({ name }) => `"odd: ${name}"`);
  return names.some((name) => raw.includes(name)) || /"action":"unfit"/.test(raw);
}

type Facts = Pick<AskedArchive, 'objects' | 'chains'>;

/** The day of a line in quarantine, and its run, are known only to the archive. */
function quarantineRows(team: string, lines: readonly string[], { objects, chains }: Facts): QuarantineRow[] {
  const places = placesOf(objects, 'quarantine').filter(({ place }) => place.team === team);
  return lines.map((line) => {
    const { dt = '', seq = 0 } = places.find((each) => each.line === line)?.place ?? {};
    const { late: _, ...row } = eventRow(line, { team, seq, chains });
    const walkStart = chains.find((each) => each.team === team)?.manifests.find((each) => each.seq === seq)
      ?.run.walkStart;
    const reason = reasonOf(row, Date.parse(walkStart ?? ''));
    return { ...row, dt, id: tokenAt(line, 'id') ?? null, event_time: row.event_time || null, reason };
  });
}

function reasonOf({ id, event_time }: Pick<EventRow, 'id' | 'event_time'>, walkStart: number): string {
  if (id === '') return 'no-id';
  if (event_time === '') return 'bad-timestamp';
  const at = Date.parse(`${event_time.replace(' ', 'T')}Z`);
  return at < Date.UTC(2020, 0) || at > walkStart + DAY_MS ? 'out-of-range' : 'revision';
}
