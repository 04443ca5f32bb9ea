// A browser that speaks German gets the page in German, every screen of it; who chooses another language gets that.
import { equal, holds, SCREENS, until, visit } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  await bob.run('send', 'alice', 'Guten Morgen');
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  const page = await alice.page({ locale: 'de-AT', serviceWorkers: 'block' });
  await page.getByRole('link', { name: 'Nachrichten' }).first().waitFor();
  equal(await page.evaluate(() => [document.documentElement.lang, document.documentElement.dir]), ['de', 'ltr'], 'what the page says of itself');
  for (const screen of SCREENS) {
    await visit(page, `#/${screen}`);
    await until(`${screen} is there`, () => page.evaluate(() => !document.querySelector('.waiting') && (document.querySelector('main')?.innerText.length ?? 0) > 10));
    holds((await page.evaluate(() => document.documentElement.scrollWidth - innerWidth)) <= 0, `${screen} is too wide for its words`);
  }
  await page.getByLabel('Sprache').selectOption('en');
  await page.getByRole('link', { name: 'Messages' }).first().waitFor();
  equal(await page.evaluate(() => document.documentElement.lang), 'en', 'another one was chosen');
  await visit(page, '#/settings');
  await page.getByLabel('Language').selectOption('auto');
  await page.getByRole('link', { name: 'Nachrichten' }).first().waitFor();
  // A device is spoken to in its language before it is anybody's.
  const { url } = await alice.one('web', '--lan');
  const odd = await alice.page({ locale: 'de-AT', serviceWorkers: 'block' });
  await odd.clock.setFixedTime(Date.now() + 3 * 365.25 * 86_400_000);
  await odd.goto(`http://127.0.0.1:${new URL(url).port}/start#none`);
  await odd.locator('#clock', { hasText: 'geht der des Knotens 3 Jahre vor' }).waitFor();
  await odd.getByRole('link', { name: 'Weiter' }).waitFor();
}
