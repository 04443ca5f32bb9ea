// Reactions, edits, withdrawals and deletions, made on a page and seen on another.
import { choose, equal, field, said, talk, talkWith, until, write } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [await bob.address(), await alice.address()];
  const [hers, his] = [await alice.page(), await bob.page()];
  await talkWith(hers, toBob);
  await talkWith(his, toAlice);
  await write(hers, 'The pump leeks.');
  const [mine, theirs] = [said(talk(hers), 'The pump'), said(talk(his), 'The pump')];
  await theirs.waitFor();

  // On and off, by whom.
  await theirs.getByRole('button', { name: 'React', exact: true }).click();
  await his.getByRole('menuitem', { name: '👍' }).click();
  await mine.locator('.reaction', { hasText: '👍' }).waitFor();
  equal(await mine.locator('.reaction').getAttribute('aria-label'), '👍 by bob', 'whose it is');
  await mine.locator('.reaction').click();
  await theirs.locator('.reaction', { hasText: '2' }).waitFor();
  await theirs.locator('.reaction').click();
  await until('hers is left', async () => /👍 by me$/.test((await mine.locator('.reaction').getAttribute('aria-label')) ?? ''));
  await mine.locator('.reaction').click();
  await until('nobody reacts any more', async () => (await theirs.locator('.reaction').count()) === 0);
  // Another one than those that are offered.
  await theirs.getByRole('button', { name: 'React', exact: true }).click();
  await his.getByRole('menuitem', { name: 'Another one' }).click();
  await his.locator('dialog[open] input').fill('🪛');
  await his.locator('dialog[open]').getByRole('button', { name: 'React', exact: true }).click();
  await mine.locator('.reaction', { hasText: '🪛' }).waitFor();

  // Other words: by the menu, by the arrow, and nothing where somebody thinks better of it.
  await choose(hers, mine, 'Edit');
  await until('what is to be edited is there', async () => (await field(talk(hers)).inputValue()) === 'The pump leeks.');
  await field(talk(hers)).fill('The pump leaks.');
  await hers.getByRole('button', { name: 'Save', exact: true }).click();
  await said(talk(his), 'The pump leaks.').getByRole('button', { name: 'edited' }).click();
  await his.locator('dialog[open]', { hasText: 'The pump leaks.' }).waitFor();
  await his.keyboard.press('Escape');
  await field(talk(hers)).press('ArrowUp');
  await until('the last one is there', async () => (await field(talk(hers)).inputValue()) === 'The pump leaks.');
  await field(talk(hers)).press('Escape');
  await until('it is let be', async () => (await field(talk(hers)).inputValue()) === '');
  equal(await said(talk(hers), 'The pump leaks.').count(), 1, 'as it was');

  // Withdrawn for both, after a question; deleted for one.
  await write(hers, 'Not meant for you');
  await said(talk(his), 'Not meant for you').waitFor();
  await choose(hers, said(talk(hers), 'Not meant for you'), 'Withdraw');
  await hers.locator('dialog[open]').getByRole('button', { name: 'Cancel', exact: true }).click();
  equal(await said(talk(hers), 'Not meant for you').count(), 1, 'it was only asked');
  await choose(hers, said(talk(hers), 'Not meant for you'), 'Withdraw');
  await hers.locator('dialog[open]').getByRole('button', { name: 'Withdraw', exact: true }).click();
  for (const page of [hers, his]) await said(talk(page), 'withdrawn by its author').waitFor();
  equal(await said(talk(his), 'Not meant for you').count(), 0, 'its words are gone');
  await choose(his, said(talk(his), 'The pump leaks.'), 'Delete here');
  await his.locator('dialog[open]').getByRole('button', { name: 'Delete here', exact: true }).click();
  await until('it is gone at his home', async () => (await said(talk(his), 'The pump leaks.').count()) === 0);
  equal(await said(talk(hers), 'The pump leaks.').count(), 1, 'and stays at hers');

  // Taken back before anybody has it.
  await bob.down();
  await until('he is gone', async () => !(await alice.rows('peers')).length);
  await write(hers, 'Too late for this');
  const late = said(talk(hers), 'Too late for this');
  await late.locator('.state', { hasText: 'waits here' }).click();
  await hers.locator('dialog[open]').getByRole('button', { name: 'Take back', exact: true }).click();
  await late.locator('.state', { hasText: 'taken back before it left' }).waitFor();
}
