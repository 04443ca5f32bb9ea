// A passphrase locks every tab at once; without it nothing can be read, in the page, in its storage or on the disk.
import { equal, filesWith, holds, until, visit } from '../lib.mjs';

const WORDS = 'the heron nests at the weir';
const PASSPHRASE = 'correct horse battery';

export default async function (world) {
  const { alice, bob } = world.people;
  const toBob = `dak:${(await bob.one('me')).peer_id}`;
  await bob.run('send', 'alice', WORDS);
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  const place = world.place();
  let context = await world.lasting(place);
  const halves = new Set();
  context.on('request', (request) => {
    const half = request.headers()['dak-page'];
    if (half) halves.add(half);
  });
  const first = await context.newPage();
  world.watch(first);
  await first.goto(await alice.link());
  await first.locator('.shell').waitFor();
  const origin = new URL(first.url()).origin;
  const second = await context.newPage();
  world.watch(second);
  await second.goto(`${origin}/#/talk/${encodeURIComponent(toBob)}`);
  await second.locator('.message', { hasText: WORDS }).waitFor();
  const before = await first.evaluate(() => localStorage.getItem('dak.page'));
  holds(before, 'without a passphrase it is open');

  // Set: too short, not the same twice, and then rightly. The other tab goes on.
  await visit(first, '#/settings');
  const dialog = first.locator('dialog[open]');
  const fill = async (one, other = one) => {
    await dialog.getByLabel('Passphrase', { exact: true }).fill(one);
    await dialog.getByLabel('The same once more').fill(other);
    await dialog.getByRole('button', { name: 'Set a passphrase' }).click();
  };
  await first.getByRole('button', { name: 'Set a passphrase' }).click();
  await fill('short');
  await dialog.getByText('It has to have at least 8 characters.').waitFor();
  await fill(PASSPHRASE, 'another one');
  await dialog.getByText('The two are not the same.').waitFor();
  await fill(PASSPHRASE);
  await first.getByText('The page locks from now on.').waitFor();
  equal(await first.evaluate(() => localStorage.getItem('dak.page')), null, 'its secret is written down no more');
  equal(await first.evaluate(async (half) => (await fetch('/v1/me', { headers: { 'dak-page': half } })).status, before), 401, 'and the one from before opens nothing');
  equal((await alice.rows('web', 'devices')).length, 1, 'it is the same browser');
  await bob.run('send', 'alice', 'still there?');
  await second.locator('.message', { hasText: 'still there?' }).waitFor();

  // Locked in one tab by its key, and so in both; nothing is asked of the node any more.
  const isOver = new Promise((resolve) => context.on('requestfailed', (request) => request.url().includes('/v1/events') && resolve()));
  await second.keyboard.press('Alt+l');
  for (const page of [first, second]) await page.locator('.locked').waitFor();
  await isOver;
  for (const page of [first, second]) {
    await until('nothing is left', async () => !/heron|bob|alice/i.test(await page.content()) && (await page.title()) === 'dak');
    const kept = await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }));
    for (const half of halves) holds(!kept.includes(half), 'no half of a session in the storage');
  }
  let asked = 0;
  context.on('request', (request) => (asked += Number(request.url().includes('/v1/'))));
  await bob.run('send', 'alice', 'nobody reads this now');
  await until('the node has it', async () => (await alice.rows('inbox')).some((row) => row.text === 'nobody reads this now'));
  // A tab that comes finds nobody who could tell it the key.
  const third = await context.newPage();
  world.watch(third);
  await third.goto(`${origin}/`);
  await third.locator('.locked').waitFor();
  equal(asked, 0, 'a locked page asks nothing');

  // What lies on the disk.
  await context.close();
  holds(halves.size >= 2, 'another session since the passphrase');
  const now = [...halves].at(-1);
  equal(filesWith(place, now), [], 'the half of the session, on the disk');
  equal(filesWith(place, WORDS), [], 'what was said, on the disk');
  holds(filesWith(place, 'dak.lock').length > 0, 'it is looked for in the right place');

  // Another day. Two wrong ones are free, the third costs a pause, whatever tab it is tried in.
  context = await world.lasting(place);
  await context.clock.install();
  const [page, other] = [await context.newPage(), await context.newPage()];
  for (const one of [page, other]) {
    world.watch(one);
    await one.goto(`${origin}/#/talk/${encodeURIComponent(toBob)}`);
    await one.locator('.locked').waitFor();
  }
  const field = (one) => one.getByLabel('Passphrase', { exact: true });
  const unlock = (one) => one.getByRole('button', { name: 'Unlock' });
  for (const wrong of ['wrong one', 'wrong two', 'wrong three', 'wrong four']) {
    await until('the pause is over', () => unlock(page).isEnabled());
    await field(page).fill(wrong);
    await unlock(page).click();
    await page.getByText('That is not the passphrase.').waitFor();
  }
  await page.getByText(/Try again in \d+ seconds?/).waitFor();
  // After many it is minutes, in all tabs; this one does not wait for them.
  await page.evaluate(() => localStorage.setItem('dak.tries', JSON.stringify({ wrong: 12, until: Date.now() + 200_000 })));
  await until('it waits in all tabs', async () => (await unlock(page).isDisabled()) && (await unlock(other).isDisabled()));
  await page.evaluate(() => localStorage.setItem('dak.tries', JSON.stringify({ wrong: 12, until: 0 })));
  await until('the pause is over', () => unlock(page).isEnabled());
  await field(page).fill(PASSPHRASE);
  await field(page).press('Enter');
  for (const one of [page, other]) await one.locator('.message', { hasText: WORDS }).waitFor();

  // Somebody is here in one tab; then nobody in any.
  await context.clock.fastForward(10 * 60_000);
  const isTold = other.evaluate(() => new Promise((resolve) => (new BroadcastChannel('dak-lock').onmessage = ({ data }) => data.what === 'active' && resolve())));
  await until('the other tab hears of it', async () => {
    await page.mouse.move(10 + Math.random() * 100, 10);
    return Promise.race([isTold.then(() => true), new Promise((resolve) => setTimeout(() => resolve(false), 100))]);
  });
  await context.clock.fastForward(10 * 60_000);
  for (const one of [page, other]) holds((await one.locator('.locked').count()) === 0, 'it is open in both');
  await context.clock.fastForward(16 * 60_000);
  for (const one of [page, other]) await one.locator('.locked').waitFor();

  // Forgotten: nothing stays, here or at the node.
  await page.getByRole('button', { name: 'I forgot it' }).click();
  await page.getByRole('button', { name: 'Erase and sign out' }).click();
  for (const one of [page, other]) await one.locator('.lost').waitFor();
  equal(await page.evaluate(() => Object.keys(localStorage).filter((name) => /page|lock|tries/.test(name))), [], 'nothing stays');
  equal((await alice.rows('web', 'devices')).length, 0, 'nobody is let in');
  await page.goto('about:blank');
  await page.goto(await alice.link());
  await page.locator('.shell').waitFor();
}
