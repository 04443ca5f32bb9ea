// A topic with two writers: what is published shows up at once where it is read, without being looked for.
import { equal, holds, until, visit } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  const [hers, his] = [await alice.page(), await bob.page()];
  const dialog = (page) => page.locator('dialog[open]');
  const asked = { hers: 0, his: 0 };
  hers.on('request', (request) => (asked.hers += request.url().endsWith('/v1/topics') ? 1 : 0));
  his.on('request', (request) => (asked.his += request.url().endsWith('/v1/topics') ? 1 : 0));
  await visit(hers, '#/topics');
  await hers.getByRole('button', { name: 'New topic' }).first().click();
  await dialog(hers).getByLabel('Topic', { exact: true }).fill('camp/news');
  await dialog(hers).getByLabel('Who may write beside its owner').fill('bob');
  await dialog(hers).getByRole('button', { name: 'Make it' }).click();
  await hers.locator('.detail h2', { hasText: 'camp/news' }).waitFor();
  await visit(his, '#/topics');
  await his.getByRole('button', { name: 'Subscribe', exact: true }).first().click();
  await dialog(his).getByLabel('Topic', { exact: true }).fill('alice/camp/news');
  await dialog(his).getByRole('button', { name: 'Subscribe', exact: true }).click();
  await his.locator('.split-list a.row', { hasText: 'camp/news' }).click();
  const post = (page, text) => page.locator('.posts li', { hasText: text });
  const publish = async (page, text) => {
    await page.getByLabel('Publish something').fill(text);
    await page.getByRole('button', { name: 'Publish', exact: true }).click();
  };
  await publish(hers, 'The ferry leaves at six.');
  await post(his, 'The ferry leaves at six.').waitFor();
  // By who may, from a terminal, and by the other writer on his page.
  await alice.run('pub', 'camp/news', '<b>Not</b> bold');
  for (const page of [hers, his]) await post(page, '<b>Not</b> bold').waitFor();
  await his.getByLabel('Publish something').waitFor();
  await publish(his, 'Fog on the coast.');
  await post(hers, 'Fog on the coast.').waitFor();
  equal(await post(hers, 'Fog on the coast.').locator('p').first().innerText().then((text) => /bob/.test(text)), true, 'who published it');
  for (const page of [hers, his]) await page.locator('.split-list a.row', { hasText: '3 messages so far' }).waitFor();

  // Nobody asks again and again: it is told.
  const before = { ...asked };
  await hers.evaluate(() => new Promise((resolve) => setTimeout(resolve, 7_000)));
  const since = [asked.hers - before.hers, asked.his - before.his];
  holds(since.every((many) => many <= 1), `asked while nothing happened: ${since}`);
  // He reads no more of it.
  await his.getByRole('button', { name: 'Unsubscribe' }).click();
  await until('it is over', async () => !(await bob.rows('topic')).some((row) => row.standing === 'subscribed'));
}
