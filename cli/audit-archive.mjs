#!/usr/bin/env node
// The command `audit-archive`: runs the TypeScript sources as they are, so a clone needs no build step.
import { register } from 'tsx/esm/api';

register();
await import('./main.ts');
