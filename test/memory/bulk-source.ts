/**
 * A bulk source server in a process of its own, so that its memory does not count for the archiver. Its argument is one
 * JSON text. It prints its URL in one line of JSON, and serves until its standard input ends or it is killed.
 */

import { createSourceModel } from '../../local/postman/source-model';
import { startSourceServer } from '../../local/postman/source-server';
import { sourceSettings } from '../../local/postman/source-settings';
import { bulkTable } from './bulk-table';

interface Arguments {
  readonly apiKey: string;
  readonly events: number;
  readonly from: string;
  readonly to: string;
}

const { apiKey, events, from, to } = JSON.parse(process.argv[2] ?? '') as Arguments;
const table = bulkTable({ events, from: new Date(from), to: new Date(to) });
const model = createSourceModel(table, sourceSettings('reality', apiKey));
const server = await startSourceServer(model, { now: () => new Date(), served: false });
process.stdout.write(`${JSON.stringify({ url: server.url })}\n`);
process.stdin.resume().once('end', () => process.exit());
