// Alice meets only Carol, who carries what is for Bob; the map says so, and draws it when it arrives.
import { until, visit } from '../lib.mjs';

export default async function ({ people: { alice, bob, carol } }) {
  // What is looked at again after seconds never is here: all that is seen was told.
  const page = await alice.page({ before: onlyTold });
  await visit(page, '#/map');
  const carols = page.locator('.map-dot', { hasText: 'carol' });
  await carols.waitFor();
  await until('carol is in contact', async () => /in contact/.test((await carols.getByRole('button').getAttribute('aria-label')) ?? ''));
  await bob.run('down');
  await until('bob is gone', async () => !(await carol.rows('peers')).some((row) => row.name === 'bob'));
  await alice.run('send', 'bob', 'Meet me at the old bridge at six.');
  const message = page.locator('.map-messages > li', { hasText: 'old bridge' });
  await message.waitFor();
  await message.getByRole('button').click();
  await message.locator('.life', { hasText: 'carol' }).waitFor();
  await until('the map says what she carries', async () => /carries 1 message of mine/.test((await carols.getByRole('button').getAttribute('aria-label')) ?? ''));
  await until('the way that it took is drawn', async () => (await page.locator('.map-line.told').count()) >= 1);

  // The same as a table.
  await page.getByRole('radio', { name: 'Table' }).click();
  const row = page.getByRole('row', { name: /carol/ });
  await row.getByText('in contact').waitFor();
  await until('what she carries stands in the table', async () => /\b1\b/.test(await row.innerText()));
  await page.getByRole('radio', { name: 'Picture' }).click();
  const sliders = page.locator('.chart [role=slider]');
  await sliders.first().waitFor();
  await until('contacts, backlog, traffic and room are there', async () => (await sliders.count()) === 4);
  await sliders.first().focus();
  await page.keyboard.press('ArrowLeft');
  await until('a figure is said', async () => /:/.test((await sliders.first().getAttribute('aria-valuetext')) ?? ''));

  // She goes, and the map says so.
  await carol.run('down');
  await until('carol is gone', async () => !/in contact/.test((await carols.getByRole('button').getAttribute('aria-label')) ?? ''));
}

function onlyTold() {
  const real = window.setTimeout;
  window.setTimeout = (does, ms, ...more) => (ms >= 5_000 ? 0 : real(does, ms, ...more));
}
