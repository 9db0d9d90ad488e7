/** The log of a small team behind the source server. A scenario states only the properties of an event that matter. */
import { createSourceModel } from '../../local/postman/source-model';
import { startSourceServer } from '../../local/postman/source-server';
import { type SourceSettings, sourceSettings } from '../../local/postman/source-settings';
import { createTable, type SourceEvent } from '../../local/postman/source-table';
import { type ContractCheck, checkedModel, createContractCheck } from './contract-check';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
/** Nothing is promised about an event that the source will forget so soon. */
const FLOOR_MARGIN_MS = 300_000;
/** Every event holds this text, and nothing but events may ever hold it. */
export const BODY_CANARY = 'canary.person@example.com';

export interface Happening {
  readonly hoursAgo?: number;
  /** All events are in one second, instead of one second apart. */
  readonly tied?: boolean;
  /** The Postman team that the events name. */
  readonly team?: number;
  /** Makes each event larger by so many bytes. */
  readonly bytes?: number;
}

export interface TeamLogOptions {
  readonly shape: SourceSettings['shape'];
  readonly apiKey: string;
  readonly settings: Partial<SourceSettings>;
}

export type TeamLog = Awaited<ReturnType<typeof startTeamLog>>;

export async function startTeamLog({ shape, apiKey, settings: initial }: TeamLogOptions) {
  const table = createTable();
  const unfit = new Set<string>();
  let settings = sourceSettings(shape, apiKey, initial);
  let lastRow = 558_000_000;
  const model = checkedModel(createSourceModel(table, settings), checks[shape]);
  const server = await startSourceServer(model, { now: () => new Date() });

  /** The ids have gaps, as those of the live service do. */
  function takeRow(): number {
    lastRow += 3;
    return lastRow;
  }

  function happen(count: number, { hoursAgo = 0, tied = false, team = 70_000_001, bytes = 0 }: Happening = {}) {
    const end = Date.now() - hoursAgo * HOUR_MS;
    const events = Array.from({ length: count }, (_, nth): SourceEvent => {
      const row = takeRow();
      const at = Math.floor(end / 1000) * 1000 - (tied ? 0 : (count - 1 - nth) * 1000);
      return { row, at, raw: render(row, at, { shape, team, bytes }) };
    });
    table.put(events);
    return events;
  }

  /** Adds texts that may not enter `events/`. The server knows no instant of them, so they are in every answer. */
  function misbehave(...raws: readonly string[]): void {
    for (const raw of raws) unfit.add(raw);
    table.put(raws.map((raw) => ({ row: takeRow(), at: null, raw })));
  }

  /** The texts that a client can receive now. */
  function visible(): readonly string[] {
    const now = Date.now();
    const floor = now - settings.retentionDays * DAY_MS + FLOOR_MARGIN_MS;
    const all = Array.from({ length: table.size() }, (_, index) => index);
    const kept = all.filter((index) => table.at(index) === -Infinity || table.at(index) > floor);
    return kept.filter((index) => table.isVisible(index, now)).map((index) => table.raw(index, now));
  }

  return {
    ...server,
    happen,
    misbehave,
    visible,
    unfit,
    /** Everything in requests and answers that broke the contract so far. */
    violations: model.violations,
    /** Adds events; an event with a known row replaces the older one. */
    put: table.put,
    /** From now on the source no longer serves the event. */
    drop: (event: SourceEvent) => table.put([{ ...event, removedAt: 0 }]),
    /** From now on the source serves the event with another text. */
    edit: (event: SourceEvent) => table.put([{ ...event, raw: edited(event.raw) }]),
    change: (changes: Partial<SourceSettings>) => {
      settings = { ...settings, ...changes };
      model.change(changes);
    },
  };
}

export function edited(raw: string, mark = 'edited'): string {
  return raw.replace('"message":"', `"message":"${mark} `);
}

/** Compiled once, because that takes longer than a run. */
const checks: Readonly<Record<SourceSettings['shape'], ContractCheck>> = {
  contract: createContractCheck('contract'),
  reality: createContractCheck('reality'),
};

interface Rendering {
  readonly shape: SourceSettings['shape'];
  readonly team: number;
  readonly bytes: number;
}

function render(row: number, at: number, { shape, team, bytes }: Rendering): string {
  const id = shape === 'contract' ? `"${row}"` : row;
  const what = `"action":"user.login_password_success","timestamp":"${new Date(at).toISOString()}"`;
  const data = `"data":{"actor":{"id":60000003,"email":"${BODY_CANARY}"},"team":{"id":${team},"name":"Acme"}}`;
  return `{"id":${id},${what},"message":"${'x'.repeat(bytes)}",${data}}`;
}
