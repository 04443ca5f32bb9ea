// A group: begun, joined, written to, with who of it has what, and what becomes of its members.
import { equal, field, said, talk, talkWith, until, visit, write } from '../lib.mjs';

export default async function ({ people: { alice, bob, carol } }) {
  const [hers, his] = [await alice.page(), await bob.page()];
  const dialog = hers.locator('dialog[open]');
  await visit(hers, '#/groups');
  await hers.getByRole('button', { name: 'New group' }).first().click();
  await dialog.getByLabel('Name').fill('crew');
  await dialog.getByLabel('bob').check();
  await dialog.getByRole('button', { name: 'Begin it' }).click();
  await hers.locator('.detail h2', { hasText: 'crew' }).waitFor();
  // He is asked, by an event and not because he looks again.
  await his.getByRole('link', { name: 'Groups' }).click();
  await his.locator('.split-list a.row', { hasText: 'crew' }).click();
  await his.getByRole('button', { name: 'Join', exact: true }).click();
  await hers.locator('.detail .row', { hasText: 'bob' }).locator('.chip', { hasText: 'member' }).waitFor();
  await hers.getByRole('button', { name: 'Invite', exact: true }).first().click();
  await dialog.getByLabel('carol').check();
  await dialog.getByRole('button', { name: 'Invite', exact: true }).click();
  await until('she is asked', async () => (await carol.rows('group')).some((row) => row.standing === 'invited'));
  const carols = await carol.page();
  await visit(carols, '#/groups');
  await carols.locator('.split-list a.row', { hasText: 'crew' }).click();
  await carols.getByRole('button', { name: 'Join', exact: true }).click();
  await carols.getByRole('link', { name: 'Open the conversation' }).click();
  const { address } = (await alice.rows('group'))[0];
  await until('all are in', async () => (await alice.rows('group', 'members', 'crew')).every((row) => row.role !== 'invited'));

  // Who has it, in words.
  await talkWith(hers, address);
  await talkWith(his, address);
  await hers.locator('.talk-facts', { hasText: '3 members' }).waitFor();
  await carol.down();
  await until('she is gone', async () => !(await alice.rows('peers')).some((row) => row.name === 'carol'));
  await write(talk(hers), 'Supper at seven.');
  await said(talk(his), 'Supper at seven.').waitFor();
  equal(await said(talk(his), 'Supper at seven.').locator('.author').innerText(), 'alice', 'who wrote it');
  const state = said(talk(hers), 'Supper at seven.').locator('.state');
  await state.filter({ hasText: '1 of 2 have it; missing: carol' }).waitFor();
  await state.click();
  await dialog.locator('.life-members li', { hasText: 'carol' }).waitFor();
  await hers.keyboard.press('Escape');
  await carol.up('--peer', (await alice.one('me')).listen[0]);
  await state.filter({ hasText: 'all 2 have it, by their receipts' }).waitFor();
  await said(talk(carols), 'Supper at seven.').waitFor();

  // One answers, one leaves; nothing can be written any more by who is out.
  await write(talk(carols), 'I bring the lamp.');
  await said(talk(hers), 'I bring the lamp.').waitFor();
  await visit(his, `#/groups/${encodeURIComponent(address)}`);
  await his.getByRole('button', { name: 'Leave', exact: true }).click();
  await his.locator('dialog[open]').getByRole('button', { name: 'Leave', exact: true }).click();
  await talkWith(his, address);
  await his.locator('.compose-none', { hasText: 'not in this group any more' }).waitFor();
  await hers.locator('.talk-facts', { hasText: '2 members' }).waitFor();
  equal(await field(talk(his)).count(), 0, 'nothing to write in');
}
