// An app that says too much, keeps too much and never returns: the page goes on, and what it did is bounded.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { holds, until } from '../lib.mjs';
import { stored } from '../zip.mjs';

export default async function (world) {
  const { alice } = world.people;
  const begin = async (name, script) => {
    const path = join(tmpdir(), `dak-${name}-${process.pid}.xdc`);
    writeFileSync(path, stored({ 'index.html': `<!doctype html><script src="webxdc.js"></script><script>${script}</script>` }));
    return (await alice.one('send', 'me', '-f', path)).id;
  };
  const loud = await begin('loud', 'for (let n = 0; n < 1000; n++) webxdc.sendUpdate({ payload: n, info: "look " + n }, ""); webxdc.setUpdateListener(() => { for (;;); }, 0);');
  const page = await alice.page();
  await page.evaluate((id) => (location.hash = `#/app/${id}`), loud);
  await page.getByText('The app says too much at once').waitFor();
  // It never returns, and the page does.
  await page.evaluate(() => (location.hash = '#/app'));
  await page.getByRole('heading', { name: 'Apps' }).waitFor();
  const said = (await alice.rows('app', loud)).length;
  holds(said <= 300, `of a thousand ${said} were told`);

  // What it keeps has a bound: past it the app ends, and what it kept can be forgotten.
  const fat = await begin('fat', `
    const piece = new Uint8Array(8 << 20);
    const open = indexedDB.open('fat', 1);
    open.onupgradeneeded = () => open.result.createObjectStore('pieces', { autoIncrement: true });
    open.onsuccess = () => {
      const more = (n) => {
        const writing = open.result.transaction('pieces', 'readwrite');
        // What repeats itself takes no room.
        for (let at = 0; at < piece.length; at += 65536) crypto.getRandomValues(piece.subarray(at, at + 65536));
        writing.objectStore('pieces').add(piece.slice());
        writing.oncomplete = () => n < 40 && more(n + 1);
      };
      more(0);
    };`);
  await page.evaluate((id) => (location.hash = `#/app/${id}`), fat);
  await page.getByText('The app keeps too much').waitFor();
  holds((await page.locator('iframe.app-frame').count()) === 0, 'it runs no longer');
  await page.getByRole('button', { name: 'Forget what it keeps' }).click();
  await page.locator('iframe.app-frame').waitFor();
  await until('nothing of it is left behind', async () => (await page.locator('iframe.app-frame').count()) === 1);
}
