import type { Storage } from '../../local/s3-bucket';

/** Keeps all objects in the map. The owner of the map may read and change it. */
export function memoryStorage(objects = new Map<string, Buffer>()): Storage {
  return {
    keys: (prefix) => [...objects.keys()].filter((key) => key.startsWith(prefix)),
    read: (key) => objects.get(key),
    create: (key, bytes) => {
      if (objects.has(key)) return false;
      objects.set(key, Buffer.from(bytes));
      return true;
    },
  };
}
