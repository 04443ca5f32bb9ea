// Two people who do not know each other pair on their pages: one shows a code, the other types it, both see the words.
import { equal, holds, said, talk, talkWith, until, visit, write } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  const [me, him] = [await alice.one('me'), await bob.one('me')];
  await alice.run('contact', 'remove', 'bob');
  await bob.run('contact', 'remove', 'alice');
  const [hers, his] = [await alice.page(), await bob.page()];
  for (const page of [hers, his]) await visit(page, '#/people');
  // They are near each other, without a name.
  await hers.locator('.row', { hasText: '“bob”' }).waitFor();

  await hers.getByRole('button', { name: 'Pair', exact: true }).click();
  const [shows, types] = [hers, his].map((page) => page.locator('dialog[open]'));
  const code = await shows.locator('.pair-code').innerText();
  await his.getByRole('button', { name: 'Pair', exact: true }).click();
  await types.getByRole('radio', { name: 'Type a code' }).click();
  const enter = async (typed) => {
    await types.getByLabel('Code', { exact: true }).fill(typed);
    await types.getByRole('button', { name: /^Pair$/ }).click();
  };
  // A wrong one is said at both sides, and spends a try.
  const [number, ...words] = code.trim().split('-');
  const wrong = [number, ...words.reverse()].join('-');
  if (wrong !== code.trim()) {
    await enter(wrong);
    await types.getByRole('alert').waitFor();
    await shows.locator('[role=status]', { hasText: 'wrong code' }).waitFor();
  }
  await enter(code);
  for (const [dialog, other] of [[shows, him], [types, me]]) {
    await dialog.locator('.pair-done').waitFor();
    equal(await dialog.locator('.safety-words li').allInnerTexts(), other.safety_words.split(' '), 'the words of the other');
  }
  const verified = async (who, peer) => (await who.rows('contact', 'list')).some((row) => row.peer_id === peer && row.verified);
  holds((await verified(alice, him.peer_id)) && (await verified(bob, me.peer_id)), 'verified at both sides');
  // And they can write at once.
  await shows.getByRole('link', { name: 'Write a message' }).click();
  await write(talk(hers), 'So it is you.');
  await talkWith(his, `dak:${me.peer_id}`);
  await said(talk(his), 'So it is you.').waitFor();
  await until('he is a contact in the list', async () => (await hers.locator('.talk-item', { hasText: 'bob' }).count()) > 0);
}
