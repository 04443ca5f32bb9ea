// An app at its bound is read-only, and says so to both who use it; what was told before is there.
import { holds, start, until, visit } from '../lib.mjs';

export default async function (world) {
  const { alice, bob } = world.people;
  const { id } = await alice.one('app', 'send', 'bob', 'checklist');
  await until('it came', async () => (await bob.rows('app')).some((row) => row.id === id));
  const pages = [await alice.page(), await bob.page()];
  for (const page of pages) {
    await visit(page, `#/app/${id}`);
    const list = page.frameLocator('iframe.app-frame');
    await list.getByRole('textbox', { name: 'Something to do' }).fill('bread');
    await list.getByRole('button', { name: 'Add' }).click();
    await list.getByRole('checkbox', { name: 'bread' }).first().waitFor();
    // By the same door, as much as fits.
    await page.evaluate(async (id) => {
      const tell = (bytes) => fetch(`/v1/apps/${id}/updates`, { method: 'POST', headers: { 'dak-page': localStorage.getItem('dak.page'), 'content-type': 'application/json' }, body: JSON.stringify({ payload: { add: 'x'.repeat(bytes) } }) });
      for (let bytes = 127_000; bytes > 0; ) if (!(await tell(bytes)).ok) bytes = Math.floor(bytes / 2);
    }, id);
    await page.getByText('This app is at its bound').waitFor();
    await list.getByRole('textbox', { name: 'Something to do' }).fill('one thing more');
    await list.getByRole('button', { name: 'Add' }).click();
    await page.locator('.toast.bad', { hasText: 'read-only' }).first().waitFor();
  }
  for (const [who, page] of [[alice, pages[0]], [bob, pages[1]]]) {
    const row = (await who.rows('app')).find((one) => one.id === id);
    holds(row.read_only, `it is so for ${who.name}`);
    await visit(page, '#/app');
    await page.getByRole('link', { name: /Checklist/ }).getByText('read-only: at its bound').waitFor();
  }
  const count = async (who) => (await who.rows('app')).find((one) => one.id === id).updates;
  await until('both have the same', async () => (await count(alice)) === (await count(bob)));
  const frame = await start(pages[1], id, () => document.querySelector('input[type=checkbox]'));
  await until('what was told before is there', async () => (await frame.locator('input[type=checkbox]').count()) >= 2);
}
