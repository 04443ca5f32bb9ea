// The ways into an app and out of it: its pages and folders, files there and back, links that lead elsewhere, words for one
// person, and lines that open a page of it. Nothing leaves without the person's word, and the address stands there as a whole.
import { mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APPS } from '../apps.mjs';
import { equal, holds, running, start, until, visit } from '../lib.mjs';
import { stored } from '../zip.mjs';

export default async function (world) {
  const { alice, bob } = world.people;
  const place = mkdtempSync(join(tmpdir(), 'dak-ways-'));
  const begin = async (name, bytes) => {
    const path = join(place, `${name}.xdc`);
    writeFileSync(path, bytes);
    return (await alice.one('send', 'bob', '-f', path)).id;
  };
  const payloads = async (id) => (await alice.rows('app', id)).map(({ payload }) => payload);
  const page = await alice.page({ acceptDownloads: true });

  // Pages in folders, also those that ask for a window of their own; and what is told on the way out is told.
  const folders = await begin('folders', APPS.folders);
  let frame = await start(page, folders);
  await frame.evaluate(() => document.getElementById('second').click());
  frame = await running(page, () => location.pathname.endsWith('second.html') && window.app);
  await frame.waitForFunction(() => frames[0]?.same === true);
  await frame.evaluate(() => app.leave('alice'));
  frame = await running(page, () => location.pathname.endsWith('third.html') && window.app);
  await until('what was told on the way out', async () => (await payloads(folders)).some(([, who]) => who === 'alice left'));
  await frame.waitForFunction(() => app.log.length === 1);
  await frame.evaluate(() => document.querySelector('a').click());
  frame = await running(page, () => location.pathname.endsWith('index.html') && window.app);
  await frame.evaluate(() => document.getElementById('blank').click());
  await running(page, () => location.pathname.endsWith('second.html') && window.app);
  equal(page.context().pages().length, 1, 'no window was opened');

  // Apps that join a realtime channel go on, alone on it.
  const thrown = await (await running(page, () => window.app)).evaluate(() => {
    const why = (act) => {
      try {
        return (act(), null);
      } catch (error) {
        return error.constructor.name;
      }
    };
    const channel = webxdc.joinRealtimeChannel();
    channel.setListener(() => (window.heard = true));
    const first = [why(() => channel.send(new Uint8Array([1]))), why(() => channel.send('text')), why(() => webxdc.joinRealtimeChannel())];
    channel.leave();
    const again = webxdc.joinRealtimeChannel();
    return [...first, why(() => channel.send(new Uint8Array(1))), why(() => again.send(new Uint8Array(1))), window.heard ?? null];
  });
  equal(thrown, [null, 'TypeError', 'Error', 'Error', null, null], 'a realtime channel, as apps use it');

  // Files come in, and go out to whom the person says, or nowhere.
  const files = await begin('files', APPS.files);
  frame = await start(page, files);
  const [first, second] = ['one.txt', 'two.txt'].map((name) => join(place, name));
  writeFileSync(first, 'first');
  writeFileSync(second, 'second');
  const [chooser] = await Promise.all([page.waitForEvent('filechooser'), frame.click('#import')]);
  holds(chooser.isMultiple(), 'several may be chosen');
  await chooser.setFiles([first, second]);
  await until('both are told', async () => (await payloads(files)).length === 2);
  equal(await payloads(files), [{ name: 'one.txt', text: 'first' }, { name: 'two.txt', text: 'second' }], 'with what is in them');
  await frame.setInputFiles('#file', first);
  equal(await frame.evaluate(() => document.getElementById('file').files[0].name), 'one.txt', 'and by a field of its own');
  const shares = async (button) => {
    await frame.click('#share');
    await page.getByRole('dialog').getByRole('button', { name: button }).click();
    await page.getByRole('dialog').waitFor({ state: 'detached' });
  };
  await page.evaluate(() => 0);
  await shares(/^Send to/);
  await shares(/^Send to/);
  await shares(/^Send to/);
  await shares(/^Send to/);
  await frame.waitForFunction(() => app.said.length === 4);
  await frame.click('#share');
  await frame.waitForFunction(() => app.said.length === 5);
  equal((await frame.evaluate(() => app.said)).slice(0, 4), ['sent', 'sent', 'sent', 'sent'], 'an empty file is one');
  await until('all came', async () => (await bob.rows('inbox')).flatMap((row) => row.files ?? row.attachments).filter(({ name }) => /^[abcd]\.txt$/.test(name)).length === 4);
  const [download] = await Promise.all([
    page.waitForEvent('download'),
    (async () => {
      await frame.evaluate(() => app.save());
      await page.getByRole('dialog', { name: 'wants to save a file' }).getByRole('button', { name: 'Save it' }).click();
    })(),
  ]);
  holds(!/[\u202e/]/.test(download.suggestedFilename()), `a name that misleads nobody: ${download.suggestedFilename()}`);
  equal(readFileSync(await download.path(), 'utf8'), 'saved', 'what was saved');

  // A link elsewhere is shown as a whole; whoever says no three times is not asked again.
  await frame.click('#odd');
  // Where no link of an app may lead, nobody was asked, and nobody said no.
  for (let n = 0; n < 3; n++) await frame.click('#geo');
  await frame.click('#mail');
  await page.getByRole('dialog', { name: 'Write a mail?' }).getByText('mailto:camp@example.org?body=hello').waitFor();
  await page.getByRole('button', { name: 'Cancel' }).click();
  await frame.click('#out');
  const leave = page.getByRole('dialog', { name: 'Leave the app?' });
  await leave.getByText('https://example.org/a?b=%E2%80%AEc').waitFor();
  await leave.getByText('Whoever runs it learns that you came').waitFor();
  await leave.getByRole('button', { name: 'Cancel' }).click();
  await frame.evaluate(() => void window.open('https://example.org/x'));
  await leave.getByRole('button', { name: 'Cancel' }).click();
  await frame.click('#out');
  await frame.evaluate(() => new Promise((done) => setTimeout(done)));
  holds((await page.getByRole('dialog').count()) === 0, 'it is not asked a fourth time');
  equal([page.context().pages().length, new URL(page.url()).hostname.startsWith('dak-')], [1, true], 'and nothing was opened');

  // Words for one person, and a line that opens a page.
  const notes = await begin('notes', stored({ 'index.html': `<!doctype html><title>x</title><script src="webxdc.js"></script><p id="at"></p><script>
    webxdc.setUpdateListener(() => {});
    addEventListener('load', () => { document.getElementById('at').textContent = location.pathname + location.hash; window.app = {}; });</script>`, 'page.html': '<!doctype html><script src="webxdc.js"></script><p id="at">the page</p><script>window.app = {};</script>' }));
  const other = await bob.page();
  await until('it came', async () => (await bob.rows('app')).some((row) => row.id === notes));
  frame = await start(other, notes);
  const bobs = await frame.evaluate(() => webxdc.selfAddr);
  await visit(other, '#/settings');
  frame = await start(page, notes);
  await frame.evaluate((bobs) => webxdc.sendUpdate({ payload: 1, info: 'your <b>turn</b>\u202e', href: 'page.html#here', notify: { [bobs]: 'come <b>and\u202e</b> see', somebody: 'else' } }), bobs);
  const toast = other.locator('.toast', { hasText: 'notes: come <b>and' });
  await toast.waitFor();
  holds(!(await toast.innerText()).includes('\u202e'), 'nothing turns what follows');
  await toast.getByRole('button', { name: 'Open the app' }).click();
  await running(other, () => document.body?.innerText.includes('the page'));
  holds((await page.locator('.toast', { hasText: 'come' }).count()) === 0, 'who told it is not told of it');
  await visit(other, `#/talk/${encodeURIComponent(`dak:${(await alice.one('me')).peer_id}`)}`);
  const line = other.locator('.event a', { hasText: 'your <b>turn</b>' });
  await line.click();
  await running(other, () => document.body?.innerText.includes('the page'));
  // A page that is none of the app's is its first one.
  for (const href of ['https://example.org/', '//example.org/', 'javascript:alert(1)', '\\\\example.org', 'http://[']) {
    await visit(other, '#/app');
    await visit(other, `#/app/${notes}?href=${encodeURIComponent(href)}`);
    frame = await (await other.waitForSelector('iframe.app-frame')).contentFrame();
    await until(`${href} leads into the app`, () => frame.url().startsWith('http://app-'));
  }
}
