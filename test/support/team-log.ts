/** A small team's log behind the source server: a story says only what matters about each event. */

import { HOUR_MS } from '../../lambdas/shared/time';
import { startSourceServer } from '../../local/postman/source-server';
import { createTable, isVisible, type SourceEvent, textOf } from '../../local/postman/source-table';
import { type ContractCheck, createContractCheck } from './contract-check';
import type { Evidence, ServedEvent } from './oracle';
import { createSourceModel, type Shape, type SourceSettings, sourceSettings } from './test-source';

/** Every event contains this address. It must not appear anywhere else, in particular not in a log. */
const BODY_CANARY = 'canary.person@example.com';

export interface Happening {
  readonly hoursAgo?: number;
  /** All events happen in one second, instead of one second after the other. */
  readonly tied?: boolean;
  /** Length of each event's message. */
  readonly bytes?: number;
}

export interface TeamLogOptions {
  readonly shape: Shape;
  readonly apiKey: string;
  readonly settings: Partial<SourceSettings>;
}

export type TeamLog = Awaited<ReturnType<typeof startTeamLog>>;

export async function startTeamLog({ shape, apiKey, settings }: TeamLogOptions) {
  const table = createTable();
  const log = writtenInto(table, shape);
  const model = createSourceModel(table, sourceSettings(shape, apiKey, settings));
  const served = new Set<string>();
  const violations: string[] = [];
  const server = await startSourceServer((request) => {
    const answer = model.answer(request, new Date());
    for (const { text } of answer.served) served.add(text);
    violations.push(...checks[shape].request(request.query));
    if (answer.fault === undefined) violations.push(...checks[shape].response(answer.status, String(answer.body)));
    return answer;
  });

  /** Every text that a reader can get now. */
  function visible(): readonly string[] {
    const now = Date.now();
    const events = table.events().filter((event) => isVisible(event, now));
    return events.map((event) => textOf(event, now));
  }

  const describe = (line: string): ServedEvent => ({ ...identityOf(line), isFit: !log.unfit.has(line) });

  /** The events that were ever served and those that are served now. The oracle compares the archive with them. */
  function evidence(): Omit<Evidence, 'objects'> {
    return {
      eventOf: (line) => (served.has(line) ? describe(line) : undefined),
      expected: [...served, ...visible()].map(describe),
    };
  }

  return {
    ...server,
    ...log,
    visible,
    evidence,
    /** Everything in requests, and in answers that no fault has spoilt, that broke the contract so far. */
    violations,
    /** Adds events, and replaces those whose row is known. */
    put: table.put,
    /** From now on the source no longer serves the event. */
    drop: (event: SourceEvent) => table.put([{ ...event, removedAt: 0 }]),
    /** From now on the source serves the event with another text. */
    edit: (event: SourceEvent) =>
      table.put([{ ...event, raw: event.raw.replace('"message":"', '"message":"edited ') }]),
    change: model.change,
  };
}

function writtenInto(table: ReturnType<typeof createTable>, shape: Shape) {
  const unfit = new Set<string>();
  let lastRow = 558_000_000;

  /** The ids of the live service have gaps, too. */
  function takeRow(): number {
    lastRow += 3;
    return lastRow;
  }

  function happen(count: number, { hoursAgo = 0, tied = false, bytes = 0 }: Happening = {}) {
    const end = Date.now() - hoursAgo * HOUR_MS;
    const events = Array.from({ length: count }, (_, nth): SourceEvent => {
      const row = takeRow();
      const at = Math.floor(end / 1000) * 1000 - (tied ? 0 : (count - 1 - nth) * 1000);
      return { row, at, raw: render(row, at, shape, bytes) };
    });
    table.put(events);
    return events;
  }

  /** Adds texts that may not enter `events/`. The server files them under no instant, so every answer holds them. */
  function misbehave(...raws: readonly string[]): void {
    for (const raw of raws) unfit.add(raw);
    table.put(raws.map((raw) => ({ row: takeRow(), at: null, raw })));
  }

  /** `unfit` holds the texts that may not enter `events/`. */
  return { happen, misbehave, unfit };
}

/** Compiled once, because compiling the contract takes longer than a run. */
const checks: Readonly<Record<Shape, ContractCheck>> = {
  contract: createContractCheck('contract'),
  reality: createContractCheck('reality'),
};

/** The id's token without quotes. The id stands first in the texts of these tests; a line without one has only its text. */
function identityOf(line: string): Pick<ServedEvent, 'row' | 'id'> {
  const id = /^\{"id":(?!null)"?([^",]+)/.exec(line)?.[1];
  return { row: id ?? line, id: id ?? null };
}

function render(row: number, at: number, shape: Shape, bytes: number): string {
  const id = shape === 'contract' ? `"${row}"` : row;
  const what = `"action":"user.login_password_success","timestamp":"${new Date(at).toISOString()}"`;
  const data = `"data":{"actor":{"id":60000003,"email":"${BODY_CANARY}"},"team":{"id":70000001,"name":"Acme"}}`;
  return `{"id":${id},${what},"message":"${'x'.repeat(bytes)}",${data}}`;
}
