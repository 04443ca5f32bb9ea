// A few days in the life of a camp, for pictures and for whoever looks at every screen.
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { until } from './lib.mjs';

export async function fill({ alice, bob, carol }) {
  const came = (who, many) => until(`${many} came to ${who.name}`, async () => (await who.rows('inbox')).length >= many);
  const inTwoDays = new Date(Date.now() + 2 * 86_400_000).toISOString().replace(/\.\d+/, '');
  const soon = new Date(Date.now() + 3 * 3_600_000).toISOString().replace(/\.\d+/, '');
  await alice.run('send', 'bob', 'The pump at camp three leaks. Can you bring a seal?', '--task', '--assign', 'bob', '--due', inTwoDays);
  await came(bob, 1);
  await bob.run('send', 'alice', 'I have one. Ferry on Thursday.');
  await bob.run('send', 'alice', 'Tide table for the week is on the board at the pier.');
  await came(alice, 2);
  await alice.run('send', 'bob', 'Then I meet you at the old bridge at six.');
  await carol.run('send', 'alice', 'Water is short at the upper camp, two days at most.', '-p', 'urgent');
  await carol.run('send', 'alice', 'Count the blankets in the store', '--task');
  await alice.run('send', 'carol', 'Bring the long rope back', '--task', '--due', soon);
  await came(alice, 4);
  await bob.run('topic', 'create', 'tides');
  await bob.run('pub', 'tides', 'High water 06:10, 1.8 m');
  await bob.run('pub', 'tides', 'High water 18:42, 1.7 m');
  await alice.run('topic', 'create', 'camp/news');
  await alice.run('pub', 'camp/news', 'The ferry leaves at six from the old pier.');
  await alice.run('topic', 'subscribe', 'bob/tides');
  await alice.run('group', 'create', 'crew', '--with', 'bob,carol');
  for (const who of [bob, carol]) {
    await until('the invitation came', async () => (await who.rows('group')).some((row) => row.standing === 'invited'));
    await who.run('group', 'join', 'crew');
  }
  await until('all are in', async () => (await alice.rows('group', 'members', 'crew')).every((row) => row.role !== 'invited'));
  await alice.run('send', 'crew', 'Supper at seven. Whoever has the lamp, bring it.');
  await until('the group has it', async () => (await carol.rows('talk', 'crew')).some((row) => row.text?.startsWith('Supper')));
  await carol.run('send', 'crew', 'The lamp is with me.');
  await until('and the answer', async () => (await alice.rows('talk', 'crew')).some((row) => row.text === 'The lamp is with me.'));
  const place = mkdtempSync(join(tmpdir(), 'dak-scene-'));
  const file = join(place, 'survey-of-the-north-slope.tar');
  writeFileSync(file, Buffer.alloc(300_000, 7));
  await alice.run('send', 'bob', 'The survey, as promised', '-f', file);
  await alice.run('contact', 'verify', 'bob').catch(() => '');
}
