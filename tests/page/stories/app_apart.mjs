// Apps in the manner of those that others make, used at two homes that are never online together: what one does waits with a
// carrier for the other. In the end both have the same in every app, whatever came when.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { APPS } from '../apps.mjs';
import { equal, holds, start, until } from '../lib.mjs';

export default async function (world) {
  const { alice, bob, carol } = world.people;
  const place = mkdtempSync(join(tmpdir(), 'dak-apps-'));
  const met = await carol.up();
  const ids = {};
  const many = async (who, name) => (await who.rows('app')).find((row) => row.id === ids[name])?.updates;
  const told = (who, name, updates) => until(`${updates} updates of ${name} are with ${who.name}`, async () => (await many(who, name)) === updates);
  const carried = (who) => until(`carol carries what ${who.name} said`, async () => (await who.rows('status')).every((row) => row.state !== 'queued'));
  /** Opens each app, and has it do something. */
  const act = async (page, who, words) => {
    for (const name of Object.keys(APPS)) {
      const before = await many(who, name);
      const frame = await start(page, ids[name]);
      await frame.evaluate((words) => app.act(words), words);
      await told(who, name, before + 1);
    }
  };

  await alice.up('--peer', met);
  for (const [name, bytes] of Object.entries(APPS)) {
    const path = join(place, `${name}.xdc`);
    writeFileSync(path, bytes);
    ids[name] = (await alice.one('send', 'bob', '-f', path)).id;
  }
  const hers = await alice.page();
  await act(hers, alice, 'alice');
  await carried(alice);
  await alice.down();

  await bob.up('--peer', met);
  for (const name of Object.keys(APPS)) await told(bob, name, 1);
  const his = await bob.page();
  await act(his, bob, 'bob');
  await carried(bob);
  await bob.down();

  // She goes on before she has heard of that, and so does he: what they say lies beside each other.
  await alice.up();
  await hers.reload();
  await act(hers, alice, 'alice once more');
  await alice.down();
  await bob.up();
  await his.reload();
  await act(his, bob, 'bob once more');
  await bob.down();
  // What each said last comes to the other by the carrier, hers behind his and his behind hers.
  await bob.up('--peer', met);
  await carried(bob);
  await bob.down();
  await alice.up('--peer', met);
  for (const name of Object.keys(APPS)) await told(alice, name, 4);
  await carried(alice);
  await alice.down();
  await bob.up('--peer', met);
  for (const name of Object.keys(APPS)) await told(bob, name, 4);
  await bob.down();

  const all = async (who, page) => {
    await who.up();
    await page.reload();
    const states = {};
    for (const name of Object.keys(APPS)) {
      const frame = await start(page, ids[name]);
      await until(`${name} has all of it`, async () => (await frame.evaluate(async () => app.count())) === 4);
      states[name] = await frame.evaluate(async () => app.state());
      if (name === 'bundled') equal(await frame.evaluate(() => app.opens), 3, 'it remembers that it was opened before');
      if (name === 'late') await frame.waitForFunction(() => app.caughtUp !== undefined);
      if (name === 'late') equal(await frame.evaluate(async () => [(await app.all()).length, app.isLast, app.caughtUp]), [4, true, 4], 'the listener that came last hears all');
      if (name === 'large') equal(await frame.evaluate(() => app.over()), 'RangeError', 'a byte more is too much');
      if (name === 'zipped') equal(await frame.evaluate(() => app.read()), READ, 'its files are what they were');
    }
    await who.down();
    return states;
  };
  const [seen, wanted] = [await all(bob, his), await all(alice, hers)];
  for (const name of Object.keys(APPS)) holds(seen[name] === wanted[name], `${name}: ${seen[name].slice(0, 300)} is not ${wanted[name].slice(0, 300)}`);
  await carol.down();
}

const READ = [
  'stored.txt:200:text/plain; charset=utf-8:8',
  'deflated.txt:200:text/plain; charset=utf-8:3000',
  'empty.txt:200:text/plain; charset=utf-8:0',
  'gr\u00fc\u00dfe/\u65e5\u672c.txt:200:text/plain; charset=utf-8:5',
  'with blank & %.txt:200:text/plain; charset=utf-8:1',
  'ab:c.txt:200:text/plain; charset=utf-8:1',
  'a.wasm:200:application/wasm:41',
  'Case.txt:200:text/plain; charset=utf-8:5',
  'case.txt:200:text/plain; charset=utf-8:2',
];
