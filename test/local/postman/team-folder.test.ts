import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DAY_MS } from '../../../lambdas/shared/time';
import { openTeamFolder, type TeamFolder } from '../../../local/postman/team-folder';

const anchor = new Date('2026-06-30T12:00:00Z');
const later = (days: number) => new Date(anchor.getTime() + days * DAY_MS);
const folder = mkdtempSync(join(tmpdir(), 'team-'));
afterAll(() => rmSync(folder, { recursive: true }));

const open = (fresh = anchor, seed = 1) => openTeamFolder(folder, { seed, anchor: fresh, days: 5 });
const contents = ({ table }: TeamFolder) => table.events();

test('a start continues the team in the folder, arrivals included, whatever seed and anchor it brings', () => {
  const team = open();
  const first = team.arrive(3, { at: anchor, visibleFrom: anchor });
  const late = team.arrive(1, { at: later(-1), visibleFrom: later(0.5) });
  const again = open(later(3), 7);
  expect(contents(again)).toEqual(contents(team));
  expect(contents(again)).toEqual(expect.arrayContaining([...first, ...late]));
  const more = again.arrive(3, { at: anchor, visibleFrom: anchor });
  expect(new Set([...first, ...late, ...more].map(({ row }) => row)).size).toBe(7);
  expect(readdirSync(folder)).toEqual(['state.json']);
});

test('the story continues day by day, and no day is played twice', () => {
  const team = open();
  const before = contents(team);
  team.playTo(later(0.1));
  expect(contents(team)).toEqual(before);
  team.playTo(later(1));
  expect(contents(team).length).toBeGreaterThan(before.length);
  expect(contents(team).slice(0, before.length)).toEqual(before);
});
