// dynalite ships no types. This is the part of it that is used here.
declare module 'dynalite' {
  import type { Server } from 'node:http';

  interface DynaliteOptions {
    /** The folder of the database, which is kept in memory where this is left out. */
    readonly path?: string;
    readonly createTableMs?: number;
  }
  export default function dynalite(options?: DynaliteOptions): Server;
}
