/** The evidence report as an auditor sees it: in a browser, on a wide and a narrow screen and on paper, and with a screen reader. */
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { source as axe } from 'axe-core';
import { type Browser, chromium, type Page } from 'playwright-core';
import { evidenceOf } from '../support/evidence';
import { archiveYear, YEAR } from '../support/evidence-year';
import { scratch } from '../support/scratch';
import { CHROMIUM } from './install';
import { describeWith } from './servers';

const FLAGS = ['--no-sandbox', '--disable-gpu', '--disable-quic', '--disable-background-networking'];

describeWith(['chromium'], 'the evidence report', () => {
  let browser: Browser;
  const folder = join(scratch, 'package');

  beforeAll(async () => {
    await evidenceOf(await archiveYear(), folder, { ...YEAR, asked: 'all' });
    browser = await chromium.launch({ executablePath: CHROMIUM, args: FLAGS });
  });

  afterAll(() => browser.close());

  /** The page's own policy would keep axe out. */
  async function open(width: number): Promise<{ page: Page; requests: string[]; complaints: string[] }> {
    const context = await browser.newContext({ viewport: { width, height: 900 }, bypassCSP: true });
    const page = await context.newPage();
    const requests: string[] = [];
    const complaints: string[] = [];
    page.on('request', (request) => requests.push(request.url()));
    page.on('dialog', (dialog) => complaints.push(dialog.message()));
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(error.message));
    await page.goto(pathToFileURL(join(folder, 'report.html')).href);
    return { page, requests, complaints };
  }

  test.each([
    ['a wide screen', 1100, 'screen'],
    ['a phone', 360, 'screen'],
    ['paper', 1100, 'print'],
  ] as const)('axe finds nothing on %s', async (_where, width, media) => {
    const { page } = await open(width);
    await page.emulateMedia({ media });
    await page.addScriptTag({ content: axe });
    const { violations } = await page.evaluate<{ violations: { id: string; nodes: { html: string }[] }[] }>(
      'axe.run()',
    );
    expect(violations.map(({ id, nodes }) => ({ id, html: nodes[0]?.html }))).toEqual([]);
  });

  test('the page loads nothing but itself, and nothing in it runs', async () => {
    const { page, requests, complaints } = await open(1100);
    expect(requests).toEqual([page.url()]);
    expect(complaints).toEqual([]);
    expect(await page.locator('script, img, iframe, object').count()).toBe(0);
  });

  test.each([1100, 700, 360])('nothing is wider than a screen of %d pixels', async (width) => {
    const { page } = await open(width);
    expect(await page.evaluate('document.documentElement.scrollWidth')).toBeLessThanOrEqual(width);
  });

  test('no table is wider than a sheet of paper', async () => {
    const { page } = await open(700);
    await page.emulateMedia({ media: 'print' });
    const tables: { width: number; room: number }[] =
      await page.evaluate(`[...document.querySelectorAll('table')].map((table) =>
      ({ width: table.offsetWidth, room: table.parentElement.offsetWidth }))`);
    expect(tables.length).toBeGreaterThan(5);
    expect(tables.filter(({ width, room }) => width > room)).toEqual([]);
  });

  test('a day, a gap and a day that was not read have different colours', async () => {
    const { page } = await open(1100);
    const fills: string[] = await page.evaluate(`['level0', 'level1', 'level4', 'gap', 'unread'].map((kind) =>
      getComputedStyle(document.querySelector('.' + kind + ' > rect')).fill)`);
    expect(new Set(fills).size).toBe(5);
  });
});
