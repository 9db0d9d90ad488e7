/**
 * A source server for a log of any size. It runs in a process of its own, so that its memory does not count for the archiver. Its
 * argument is one JSON text. It prints its URL in one line, and serves until its standard input ends or it is killed.
 */
import { startSourceServer } from '../../local/postman/source-server';
import { createBulkLog } from './bulk-log';

const { from, to, ...log } = JSON.parse(process.argv[2] ?? '');
const { answer } = createBulkLog({ ...log, from: new Date(from), to: new Date(to) });
const { url } = await startSourceServer((request) => answer(request, new Date()));
console.log(url);
process.stdin.resume().once('end', () => process.exit());
