/**
 * LevelDB folders. While a folder is open, LevelDB holds a lock of the operating system on it, which the system releases
 * when the process ends, however it ends.
 */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { Level } from 'level';

/** Until the lock is closed, nobody else can lock the folder. Throws an error if somebody else has locked it. */
export async function lockFolder(folder: string): Promise<{ close(): Promise<void> }> {
  try {
    return await openLevel(join(folder, 'lock'));
  } catch (error) {
    if (!isLocked(error)) throw error;
    const todo = 'wait until it has ended, or give another folder with --data';
    throw new Error(`another "audit-archive local" is working in ${folder}: ${todo}`);
  }
}

/** These folders hold no evidence, so a folder that is damaged, for example by a full disk, is emptied. */
export async function openLevel(folder: string): Promise<Level> {
  try {
    return await opened(folder);
  } catch (error) {
    if (isLocked(error)) throw error;
    rmSync(folder, { recursive: true, force: true });
    return opened(folder);
  }
}

async function opened(folder: string): Promise<Level> {
  const level = new Level(folder);
  try {
    await level.open();
  } catch (error) {
    // LevelDB's own reason is the cause.
    throw (error as { readonly cause?: unknown }).cause ?? error;
  }
  return level;
}

function isLocked(error: unknown): boolean {
  return (error as { readonly code?: unknown }).code === 'LEVEL_LOCKED';
}
