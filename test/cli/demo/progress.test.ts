import { PassThrough } from 'node:stream';
import { createProgress } from '../../../cli/demo/progress';

/** The text that is shown where there is no terminal. */
function shown(lines: readonly Record<string, unknown>[]): string {
  const output = new PassThrough();
  const span = { from: new Date('2026-06-01T00:00:00Z'), to: new Date('2026-06-11T00:00:00Z') };
  const progress = createProgress(span, output as unknown as NodeJS.WriteStream);
  for (const line of lines) progress.see(line);
  progress.end();
  return String(output.read() ?? '');
}

test('each tenth of the way but the last is shown once, and a swept day does not move the progress back', () => {
  const page = (claim: string) => ({ message: 'page', events: 300, claim });
  const lines = [
    page('2026-06-01T23:00:00Z'),
    page('2026-06-03T01:00:00Z'),
    page('2026-06-03T02:00:00Z'),
    page('2026-06-09T00:00:00Z'),
    page('2026-06-02T00:00:00Z'),
    page('2026-07-01T00:00:00Z'),
  ];
  expect(shown(lines)).toBe('  20%  2026-06-03  600 events\n  80%  2026-06-09  1,200 events\n');
});

test('a long wait for the source is shown, and a short one is not', () => {
  const retry = (waitMs: number) => ({ message: 'source retry', code: 'source-throttled', waitMs });
  expect(shown([retry(900), retry(41_300)])).toBe('  source-throttled: again in 41 s\n');
});
