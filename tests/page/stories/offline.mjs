// The node is gone: the page comes from its worker, shows what it kept, and what is written waits and is sent once.
import { equal, filesWith, holds, kept, loseAnAnswer, until, visit } from '../lib.mjs';

const WORDS = 'the heron nests at the weir';
const PASSPHRASE = 'correct horse battery';

export default async function (world) {
  const { alice, bob } = world.people;
  const talk = `#/talk/${encodeURIComponent(`dak:${(await bob.one('me')).peer_id}`)}`;
  const listen = (await bob.one('me')).listen[0];
  await bob.run('send', 'alice', WORDS);
  await bob.run('send', 'alice', 'burn after reading', '--expire-after-read', '1h');
  await until('it came', async () => (await alice.rows('inbox')).length === 2);
  const place = world.place();
  let context = await world.lasting(place);
  const came = async () => (await bob.rows('talk', 'alice')).map((row) => row.text);
  const compose = (page) => page.locator('.compose textarea');
  const write = async (page, text) => {
    await compose(page).fill(text);
    await compose(page).press('Enter');
  };
  const watched = async (where = context) => {
    const page = await where.newPage();
    world.watch(page);
    return page;
  };
  let page = await watched();
  await page.goto(await alice.link());
  await page.locator('.shell').waitFor();
  const origin = new URL(page.url()).origin;
  await visit(page, '#/settings');
  await page.getByText('The last conversations and what you write are kept in this browser, sealed').waitFor();
  // It can be installed, and nothing is wrong with what it says of itself.
  const cdp = await context.newCDPSession(page);
  equal((await cdp.send('Page.getInstallabilityErrors')).installabilityErrors, [], 'what keeps it from being installed');
  equal((await cdp.send('Page.getAppManifest')).errors, [], 'what is wrong with its manifest');
  const worker = await page.evaluate(async () => {
    const answer = await fetch('/worker.js', { cache: 'no-store' });
    return [answer.headers.get('service-worker-allowed'), /worker-src 'self'/.test(answer.headers.get('content-security-policy'))];
  });
  equal(worker, [null, true], 'the worker has no more than its own place');
  await until('the conversation is kept', () => page.evaluate(kept, 'index'));
  // Of what the worker keeps nothing is the node's answer, and all is of one build, to the byte.
  const cached = await page.evaluate(async () => {
    const hex = async (body) => btoa(String.fromCharCode(...new Uint8Array(await crypto.subtle.digest('SHA-256', body))));
    const [name, ...more] = await caches.keys();
    const cache = await caches.open(name);
    const files = await cache.match('/') ? await cache.keys() : [];
    const worker = await (await fetch('/worker.js')).text();
    const has = async (request) => worker.includes(await hex(await (await cache.match(request)).arrayBuffer()));
    return [more.length, await Promise.all(files.map(async (request) => [new URL(request.url).pathname, await has(request)]))];
  });
  equal(cached[0], 0, 'one build alone');
  holds(cached[1].length > 5 && cached[1].every(([path, is]) => is && !/^.(v1|web)/.test(path)), `the page's own files alone: ${JSON.stringify(cached[1])}`);

  // A power cut.
  await alice.kill();
  await page.reload();
  await page.getByText(/Away from your node since/).waitFor();
  // What is not kept is not said to be none, and one's own card is.
  await visit(page, '#/app');
  await page.getByText('Your node is not in reach now').waitFor();
  equal(await page.getByText('No apps yet').count(), 0, 'nobody knows whether there are apps');
  await visit(page, '#/people');
  await page.locator('.me-row', { hasText: 'alice' }).waitFor();
  await visit(page, '#/talk');
  await page.locator('.talk-row', { hasText: 'bob' }).waitFor();
  holds(!(await page.content()).includes('burn after'), 'what is to be forgotten is not kept');
  await page.goto('about:blank');
  await page.goto(`${origin}/${talk}`);
  await page.locator('.message', { hasText: WORDS }).waitFor();
  equal(await page.locator('.message', { hasText: 'burn after reading' }).count(), 0, 'what is to be forgotten is not kept');

  // Three are written; one is taken back, one is changed before it goes.
  // Whoever ponders before sending has it kept as a draft meanwhile, and nowhere any more once it waits.
  await compose(page).fill('the first of two');
  await until('it is kept as a draft', () => page.evaluate(kept, 'drafts'));
  await compose(page).press('Enter');
  await page.locator('.waits li', { hasText: 'the first of two' }).waitFor();
  await until('what waits is no draft any more', async () => !(await page.evaluate(kept, 'drafts')));
  await write(page, 'not this one');
  await write(page, 'the secnd of two');
  const waits = (text) => page.locator('.waits li', { hasText: text });
  await waits('the secnd').getByText('waits in this browser until your node is in reach').waitFor();
  await waits('not this one').getByRole('button', { name: 'Do not send' }).click();
  await waits('not this one').waitFor({ state: 'detached' });
  await waits('the secnd').getByRole('button', { name: 'Edit' }).click();
  await until('it is written on', async () => (await compose(page).inputValue()) === 'the secnd of two');
  await write(page, 'the second of two');
  await compose(page).fill('half a thought');
  await visit(page, '#/talk');

  // They outlive the browser, which has none of it on its disk for others to read.
  await until('the draft is kept', () => page.evaluate(kept, 'drafts'));
  await context.close();
  equal(filesWith(place, 'half a thought'), [], 'a draft, on the disk');
  equal(filesWith(place, 'the first of two'), [], 'what waits, on the disk');
  equal(filesWith(place, WORDS), [], 'what was said, on the disk');
  context = await world.lasting(place);
  page = await watched();
  await page.goto(`${origin}/${talk}`);
  await waits('the first of two').waitFor();
  await waits('the second of two').waitFor();
  await until('the draft is there', async () => (await compose(page).inputValue()) === 'half a thought');

  // The node is back; an answer of it is lost on the way.
  await page.evaluate(loseAnAnswer);
  await alice.up('--peer', listen);
  await page.getByText(/messages? that waited here (was|were) sent/).waitFor();
  await page.locator('.waits').waitFor({ state: 'detached' });
  await until('both came to him', async () => (await came()).includes('the second of two'));
  equal((await came()).filter((text) => /of two|not this/.test(text ?? '')), ['the first of two', 'the second of two'], 'each once, in their order');
  equal(await page.evaluate(() => window.sent), 3, 'one was sent twice');
  await until('the node has the draft', async () => (await alice.rows('draft', 'list')).some((row) => row.text === 'half a thought'));

  // With a passphrase, what waits waits for that as well.
  await visit(page, '#/settings');
  await page.getByRole('button', { name: 'Set a passphrase' }).click();
  const dialog = page.locator('dialog[open]');
  await dialog.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  await dialog.getByLabel('The same once more').fill(PASSPHRASE);
  await dialog.getByRole('button', { name: 'Set a passphrase' }).click();
  await page.getByText('The page locks from now on.').waitFor();
  await alice.kill();
  await page.getByText(/Away from your node since/).waitFor();
  await page.goto('about:blank');
  await page.goto(`${origin}/${talk}`);
  await page.locator('.locked').waitFor();
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  await page.keyboard.press('Enter');
  await page.locator('.message', { hasText: WORDS }).waitFor();
  await write(page, 'behind the lock');
  await page.locator('.waits li', { hasText: 'behind the lock' }).waitFor();
  await page.keyboard.press('Alt+l');
  await page.locator('.locked').waitFor();
  await alice.up('--peer', listen);
  await page.getByLabel('Passphrase', { exact: true }).fill(PASSPHRASE);
  await page.keyboard.press('Enter');
  await until('it came', async () => (await came()).includes('behind the lock'));

  // Shown out while it was away: all is erased when it meets the node.
  const [device] = await alice.rows('web', 'devices');
  await alice.run('web', 'devices', '--revoke', device.name);
  await page.locator('.lost').waitFor();
  await until('all is erased', async () => (await page.evaluate(() => indexedDB.databases())).length === 0);
  equal(await page.evaluate(() => localStorage.getItem('dak.lock')), null, 'and the way in');
}
