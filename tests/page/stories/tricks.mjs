// HTML and turned letters in whatever others write: it is text on every screen, in the order in which it was typed.
import { writeFileSync, mkdtempSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { SCREENS, equal, holds, until, visit } from '../lib.mjs';

const TAG = '<img src=x onerror="document.title=`owned`"><script>document.title="owned"</script><b>bold</b>';
const TURNED = 'invoice\u202egpj.exe';
const LINK = 'http://bob:secret@evil.example/ and javascript:document.title="owned" and data:text/html,<script>1</script>';

export default async function ({ people: { alice, bob } }) {
  const toBob = `dak:${(await bob.one('me')).peer_id}`;
  const place = mkdtempSync(join(tmpdir(), 'dak-tricks-'));
  const file = join(place, `${TURNED}.<svg onload=document.title=1>.png`.replaceAll('/', '_'));
  writeFileSync(file, TAG);
  await bob.run('send', 'alice', TAG, '-f', file);
  await bob.run('send', 'alice', TURNED);
  await bob.run('send', 'alice', LINK, '--task');
  await bob.run('topic', 'create', 'board');
  await bob.run('pub', 'board', `${TAG} ${TURNED}`);
  await bob.run('group', 'create', `<i>crew</i>\u202e`.slice(0, 11), '--with', 'alice').catch(() => bob.run('group', 'create', '<i>crew</i>', '--with', 'alice'));
  await alice.run('topic', 'subscribe', 'bob/board');
  await alice.run('contact', 'rename', 'bob', '<b>bob</b>').catch(() => '');
  await until('all of it is there', async () => (await alice.rows('inbox')).length >= 3);
  await until('the board as well', async () => (await alice.rows('topic')).some((row) => row.last_event > 0));

  const page = await alice.page();
  const look = async (where) => {
    equal(await page.evaluate(() => document.querySelectorAll('main img[src=x], main script, main b.bold, main i:not([class]):not(:empty), main svg[onload]').length), 0, `${where}: no tag of theirs is a tag here`);
    holds(!(await page.title()).includes('owned'), `${where}: nothing of theirs ran`);
    holds(!(await page.evaluate(() => document.body.innerText)).includes('\u202e'), `${where}: nothing turns what follows`);
    const links = await page.evaluate(() => [...document.querySelectorAll('main a[href]')].map((link) => link.getAttribute('href')));
    holds(!links.some((link) => /^(javascript|data):/i.test(link) || link.includes('@evil')), `${where}: ${links}`);
  };
  await visit(page, `#/talk/${encodeURIComponent(toBob)}`);
  const text = page.locator('.message', { hasText: '<script>document.title' }).first();
  await text.waitFor();
  await page.locator('.message', { hasText: 'invoice\\u{202e}gpj.exe' }).first().waitFor();
  await look('talk');
  for (const screen of SCREENS) {
    await visit(page, `#/${screen}`);
    await page.locator('main h1, main .talk-list-head, main input').first().waitFor();
    await look(screen);
  }
  await visit(page, '#/topics');
  await page.locator('.split-list a.row', { hasText: 'board' }).click();
  await page.locator('.posts', { hasText: '<script>' }).waitFor();
  await look('a topic');
  await visit(page, '#/search?q=' + encodeURIComponent('owned'));
  await page.locator('main', { hasText: 'document.title' }).waitFor();
  await look('search');
}
