// An app as a person meets it: where it was sent it stands as it calls itself, with what was said in it last; opened, it has
// the keys; and what it says as one leaves it is told.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { equal, running, talk, talkWith, until, visit } from '../lib.mjs';
import { stored } from '../zip.mjs';

const head = '<!doctype html><meta charset="utf-8"><script src="webxdc.js"></script>';
const icon = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');

/** What is written in it is told as those libraries do that gather changes: when it is hidden, for that may be its end. */
const diary = {
  'manifest.toml': 'name = "Log \\u202e<b>book</b>"',
  'icon.png': icon,
  'index.html': `${head}<button>first</button><input id="line" autofocus><script>
    document.addEventListener('visibilitychange', () => {
      if (document.visibilityState === 'hidden') webxdc.sendUpdate({ payload: document.getElementById('line').value, document: 'June <i>1</i>', summary: 'one \\u202eline' });
    });
    webxdc.setUpdateListener(() => {});
    window.app = {};</script>`,
};

/** It is played by keys alone, and asks for none. */
const game = {
  'index.html': `${head}<p>keys</p><script>
    window.app = { keys: [] };
    addEventListener('keydown', ({ key }) => app.keys.push(key));</script>`,
};

export default async function (world) {
  const { alice, bob } = world.people;
  // It says that it does not do that itself in a frame.
  world.known.push(/Blocked autofocusing/);
  const place = mkdtempSync(join(tmpdir(), 'dak-window-'));
  const begin = async (name, files) => {
    const path = join(place, `${name}.xdc`);
    writeFileSync(path, stored(files));
    return (await alice.one('send', 'bob', '-f', path)).id;
  };
  const [written, played] = [await begin('diary', diary), await begin('game', game)];
  const page = await alice.page();
  const card = (page) => talk(page).locator('.file', { hasText: 'Log \\u{202e}<b>book</b>' });

  await talkWith(page, await bob.address());
  await card(page).locator('img.app-icon').waitFor();
  await card(page).getByRole('link', { name: 'Start' }).click();
  let frame = await running(page);
  await frame.waitForFunction(() => document.hasFocus() && document.activeElement.id === 'line');
  await page.keyboard.type('wind from the west');
  await until('it is written', () => frame.evaluate(() => document.getElementById('line').value === 'wind from the west'));
  await page.goBack();
  await until('what was written last is told', async () => (await alice.rows('app', written)).length === 1);
  equal((await alice.one('app', written)).payload, 'wind from the west', 'as it was');
  await card(page).getByText('June <i>1</i> · one ').waitFor();

  const other = await bob.page();
  await talkWith(other, await alice.address());
  await card(other).getByText('June <i>1</i> · one ').waitFor();

  await visit(page, `#/app/${played}`);
  frame = await running(page);
  await frame.waitForFunction(() => document.hasFocus());
  await page.keyboard.press('ArrowLeft');
  await frame.waitForFunction(() => app.keys.includes('ArrowLeft'));
}
