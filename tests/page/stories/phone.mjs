// A phone that trusts its node: the page is installed there, locks, shows what it kept while the node is away, and sends once.
import { about, equal, field, filesWith, holds, kept, loseAnAnswer, said, talk, talkWith, until, visit } from '../lib.mjs';
import { move, Phone, tell } from '../phone.mjs';

const WORDS = 'the heron nests at the weir';
const PASSPHRASE = 'correct horse battery';

export default async function (world) {
  const { alice, bob } = world.people;
  const toBob = `dak:${(await bob.one('me')).peer_id}`;
  const listen = (await bob.one('me')).listen[0];
  await bob.run('send', 'alice', WORDS);
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  const came = async () => (await bob.rows('talk', 'alice')).map((row) => row.text);
  const phone = new Phone(world);
  const shown = await alice.one('web', '--lan');
  await phone.trust(shown);
  let page = await phone.open();
  await phone.pair(page, shown);
  holds(await page.locator('#clock').count() === 0, 'it has left the first steps behind');
  const origin = new URL(page.url()).origin;
  equal(origin, shown.page, 'it is where the node said');
  const [device] = await alice.rows('web', 'devices');
  equal([device.lan, /Chrome on Android/.test(device.name)], [true, true], 'the node has a phone');

  // The browser takes the worker, and would install the page; nobody is told that it works online only.
  await visit(page, '#/settings');
  await page.getByText('The last conversations and what you write are kept in this browser, sealed').waitFor();
  equal(await page.getByText('works online only').count(), 0, 'nothing is missing');
  equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).map((one) => new URL(one.scope).pathname)), ['/'], 'one worker');
  const cdp = await phone.context.newCDPSession(page);
  equal((await cdp.send('Page.getInstallabilityErrors')).installabilityErrors, [], 'what keeps it from being installed');
  equal((await cdp.send('Page.getAppManifest')).errors, [], 'what is wrong with its manifest');
  equal(await page.locator('.link-state').count(), 0, 'nothing is wrong');

  await page.getByRole('button', { name: 'Set a passphrase' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  await dialog.getByLabel('The same once more').fill(PASSPHRASE);
  await dialog.getByRole('button', { name: 'Set a passphrase' }).click();
  await page.getByText('The page locks from now on.').waitFor();
  await until('the conversation is kept', () => page.evaluate(kept, 'index'));

  // A power cut; the phone was put away meanwhile, and its browser ended.
  await alice.kill();
  await phone.close();
  equal(filesWith(phone.home, WORDS), [], 'what was said, on the phone');
  page = await phone.open();
  await page.goto(`${origin}/#/talk/${encodeURIComponent(toBob)}`);
  await page.locator('.locked').waitFor();
  holds(!/heron/.test(await page.content()), 'it is locked');
  const open = async () => {
    await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
    await page.keyboard.press('Enter');
  };
  await open();
  await page.getByText(/Away from your node since/).waitFor();
  await page.getByRole('link', { name: /compare the clocks/ }).waitFor();
  await said(talk(page), WORDS).waitFor();
  await tell(talk(page), 'written on the way');
  const waits = page.locator('.waits li', { hasText: 'written on the way' });
  await waits.getByText(/waits (in this browser|on this phone) until your node is in reach/).waitFor();
  await field(talk(page)).fill('half a thought');
  await visit(page, '#/talk');
  await page.locator('.talk-row', { hasText: 'bob' }).waitFor();
  await until('the draft is kept', () => page.evaluate(kept, 'drafts'));
  await phone.close();
  for (const text of ['written on the way', 'half a thought']) equal(filesWith(phone.home, text), [], `${text}, on the phone`);

  // The node is back, at another address; its name leads there.
  phone.address = about.address.replace(/\d+$/, '9');
  await move(phone.address);
  await alice.up('--peer', listen);
  page = await phone.open();
  // The answer to what is sent is lost on its way once.
  await page.addInitScript(loseAnAnswer);
  await page.goto(`${origin}/`);
  await page.locator('.locked').waitFor();
  await open();
  await page.getByText(/message that waited here was sent/).waitFor();
  await until('it came', async () => (await came()).includes('written on the way'));
  equal((await came()).filter((text) => text === 'written on the way').length, 1, 'once');
  equal(await page.evaluate(() => window.sent), 2, 'it went twice');
  await talkWith(page, toBob);
  await until('what was begun is there', async () => (await field(talk(page)).inputValue()) === 'half a thought');
  await bob.run('send', 'alice', 'welcome back');
  await said(talk(page), 'welcome back').waitFor();

  // Shown out at the node, the phone keeps nothing.
  await alice.run('web', 'devices', '--revoke', (await alice.rows('web', 'devices'))[0].name);
  await page.locator('.lost').waitFor();
  await until('all is erased', async () => (await page.evaluate(() => indexedDB.databases())).length === 0);
}
