// What is done on the screens beside conversations is done for good, and seen on the other side.
import { equal, holds, until, visit } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  const page = await alice.page();
  const dialog = page.locator('dialog[open]');
  const button = (name, within = page) => within.getByRole('button', { name, exact: true });
  const contact = async () => (await alice.rows('contact', 'list')).find((row) => row.peer_id === bobs.peer_id);
  const bobs = await bob.one('me');

  // People: the words are the same, another name, blocked and heard of again.
  await visit(page, `#/people/${bobs.peer_id}`);
  await page.locator('.safety-words').first().waitFor();
  equal(await page.locator('.safety-words').first().locator('li').allInnerTexts(), bobs.safety_words.split(' '), 'his words');
  await button('They are the same').click();
  await until('it is kept', async () => (await contact()).verified);
  await page.locator('.split-list .chip', { hasText: 'verified' }).waitFor();
  await button('Rename').click();
  await dialog.getByLabel('Name').fill('Bob of the coast');
  await button('Save', dialog).click();
  await page.locator('.detail h2', { hasText: 'Bob of the coast' }).waitFor();
  equal((await contact()).name, 'Bob of the coast', 'the name');
  await button('Block').click();
  await button('Unblock').click();
  await until('he is heard of again', async () => (await contact()).standing === 'contact');
  await page.getByLabel('Priority').selectOption('urgent');
  await until('what is usual', async () => (await contact()).usual?.priority === 'urgent');
  // What is wrong is said, with what to do.
  await page.getByRole('button', { name: 'Add', exact: true }).first().click();
  await dialog.getByLabel('Address').fill('dak:nonsense');
  await dialog.getByLabel('Name').fill('nobody');
  await button('Add', dialog).click();
  await dialog.getByRole('alert').waitFor();
  await page.keyboard.press('Escape');

  // A code is shown, and ends with the dialog.
  await button('Pair').click();
  await dialog.locator('.pair-code').waitFor();
  holds((await dialog.locator('.qr path').getAttribute('d')).length > 500, 'a QR code');
  await page.keyboard.press('Escape');
  await until('the pairing is over', async () => {
    try {
      await alice.run('pair', '--cancel');
      return false;
    } catch {
      return true;
    }
  });

  // A group, which he joins on his page.
  await visit(page, '#/groups');
  await page.getByRole('button', { name: 'New group' }).first().click();
  await dialog.getByLabel('Name').fill('crew');
  await dialog.getByLabel('Bob of the coast').check();
  await button('Begin it', dialog).click();
  await page.locator('.detail h2', { hasText: 'crew' }).waitFor();
  const his = await bob.page();
  await visit(his, '#/groups');
  await his.locator('.split-list a.row', { hasText: 'crew' }).click();
  await his.getByRole('button', { name: 'Join', exact: true }).click();
  await his.getByRole('link', { name: 'Open the conversation' }).waitFor();
  await page.locator('.detail .row', { hasText: 'Bob of the coast' }).locator('.chip', { hasText: 'member' }).waitFor();

  // A topic of hers, which he reads.
  await visit(page, '#/topics');
  await page.getByRole('button', { name: 'New topic' }).first().click();
  await dialog.getByLabel('Topic').fill('camp/news');
  await button('Make it', dialog).click();
  await page.getByLabel('Publish something').fill('The ferry leaves at six.');
  await button('Publish').click();
  await page.locator('.posts li', { hasText: 'The ferry leaves at six.' }).waitFor();
  await visit(his, '#/topics');
  await his.getByRole('button', { name: 'Subscribe', exact: true }).first().click();
  await his.locator('dialog[open]').getByLabel('Topic').fill('alice/camp/news');
  await his.locator('dialog[open]').getByRole('button', { name: 'Subscribe' }).click();
  await his.locator('.split-list a.row', { hasText: 'camp/news' }).click();
  await his.locator('.posts li', { hasText: 'The ferry leaves at six.' }).waitFor();

  // A task from the board, done by him in the terminal, seen on the board.
  await visit(page, '#/tasks');
  await page.getByRole('button', { name: 'New task' }).first().click();
  await dialog.getByLabel('What is to be done').fill('Bring a seal');
  await dialog.getByLabel('In the conversation with').fill('Bob of the coast');
  await dialog.getByLabel('Who does it').fill('Bob of the coast');
  await button('Send', dialog).click();
  await page.locator('.column.taken .task-card', { hasText: 'Bring a seal' }).waitFor();
  const task = await until('he has it', async () => (await bob.rows('task', 'list')).find((row) => row.text === 'Bring a seal'));
  await bob.run('task', 'done', task.id);
  await page.locator('.column.done .task-card', { hasText: 'Bring a seal' }).waitFor();
  // By hand, to where it was.
  await page.locator('.task-card', { hasText: 'Bring a seal' }).dragTo(page.locator('.column.open'));
  await page.locator('.column.open .task-card', { hasText: 'Bring a seal' }).waitFor();

  // Away, and back.
  await visit(page, '#/settings');
  await page.getByLabel('What is said').fill('at sea');
  await button('I am away').click();
  await until('she is away', async () => (await alice.one('away')).away);
  await button('I am back').click();
  await until('she is back', async () => !(await alice.one('away')).away);
  await page.getByRole('region', { name: 'Configuration' }).waitFor();
  await page.getByLabel('Look', { exact: true }).selectOption('dark');
  await until('the look is dark', () => page.evaluate(() => getComputedStyle(document.documentElement).colorScheme === 'dark'));
}
