// Two tabs, another browser and the terminal client at once: what is unread, in which order, and who read it is the same in all.
import { equal, holds, onTerminal, said, talk, talkWith, until, write } from '../lib.mjs';

export default async function ({ people: { alice, bob, carol } }) {
  const [toBob, toCarol] = [await bob.address(), await carol.address()];
  const first = await alice.page();
  const second = await first.context().newPage();
  await second.goto(first.url());
  const other = await alice.page();
  const all = [first, second, other];
  for (const page of all) await page.locator('.talk-item', { hasText: 'carol' }).waitFor();
  let terminal;
  try {
    // Nobody looks at the pages; the newest conversation stands first everywhere, with as much as is unread.
    await bob.run('send', 'alice', 'one');
    await bob.run('send', 'alice', 'two');
    await carol.run('send', 'alice', 'three');
    const list = (page) => page.locator('.talk-item:not(.silent)').evaluateAll((items) => items.map((item) => [item.querySelector('.talk-name')?.textContent, item.querySelector('.badge')?.firstChild?.textContent ?? '']));
    const same = async (what, wanted) => {
      for (const page of all) await until(`${what}: ${JSON.stringify(wanted)}`, async () => JSON.stringify(await list(page)) === JSON.stringify(wanted));
    };
    await same('both wait', [['carol', '1'], ['bob', '2']]);
    for (const page of all) await until('the title says so', async () => (await page.title()).startsWith('(3)'));
    // One tab reads: all know.
    await talkWith(first, toBob);
    await said(talk(first), 'two').waitFor();
    await same('bob is read', [['carol', '1'], ['bob', '']]);
    // The terminal opens the other one, and reads it.
    terminal = onTerminal(alice, 'chat', 'carol');
    await terminal.shows(/three/);
    await same('carol is read', [['carol', ''], ['bob', '']]);
    equal((await alice.rows('inbox', '--count'))[0]?.unread ?? 0, 0, 'by the node’s count');
    // Written in three places at once; each is everywhere once, in one order.
    await talkWith(second, toBob);
    await talkWith(other, toBob);
    for (const page of all) await page.locator('.compose textarea').first().waitFor();
    await Promise.all(all.map((page, n) => write(talk(page), `from place ${n}`)));
    await alice.run('send', 'bob', 'from a command');
    await bob.run('send', 'alice', 'and mine');
    for (const page of all) for (const text of ['from place 0', 'from place 1', 'from place 2', 'from a command', 'and mine']) await said(talk(page), text).waitFor();
    const order = async (page) => (await talk(page).locator('article.message .prose').allInnerTexts()).map((text) => text.trim());
    const rows = (await alice.rows('talk', 'bob')).map((row) => row.text);
    for (const page of all) await until('the same order as the record', async () => JSON.stringify(await order(page)) === JSON.stringify(rows));
    // Who is in front moves, whoever wrote.
    await carol.run('send', 'alice', 'four');
    for (const page of all) await until('carol is first', async () => (await list(page))[0][0] === 'carol');
    await terminal.shows(/four/);
    // Unread again in one, unread in all.
    const id = (await alice.rows('talk', 'bob')).find((row) => row.text === 'and mine').id;
    for (const page of all) await talkWith(page, toCarol);
    // A page that still looked at him would read it again.
    for (const page of all) await said(talk(page), 'four').waitFor();
    for (const page of all) await until('hers is read', async () => (await list(page))[0][1] === '');
    await alice.run('unread', id);
    await same('one is unread', [['carol', ''], ['bob', '1']]);
    holds(terminal.isThere(), 'the terminal client goes on');
  } finally {
    terminal?.end();
  }
}
