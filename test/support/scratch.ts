/** A folder for all that a test file writes. It is removed after the last test of the file. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const scratch = mkdtempSync(join(tmpdir(), 'test-'));
afterAll(() => rmSync(scratch, { recursive: true, force: true }));
