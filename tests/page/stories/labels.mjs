// Labels, which are for one home alone, and a message that becomes a task.
import { choose, equal, said, talk, talkWith, until, visit } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [await bob.address(), await alice.address()];
  await bob.run('send', 'alice', 'The ferry is full on Thursday.');
  const [hers, his] = [await alice.page(), await bob.page()];
  await talkWith(hers, toBob);
  await talkWith(his, toAlice);
  const message = said(talk(hers), 'The ferry');
  const dialog = hers.locator('dialog[open]');
  await choose(hers, message, 'Labels');
  await dialog.getByLabel('New label').fill('travel');
  await dialog.getByRole('button', { name: 'Add', exact: true }).click();
  await dialog.getByRole('checkbox', { name: 'travel' }).waitFor();
  await hers.keyboard.press('Escape');
  await message.locator('.labels .chip', { hasText: 'travel' }).waitFor();
  equal((await alice.rows('label', 'list')).map((row) => row.label), ['travel'], 'the label');
  equal(await said(talk(his), 'The ferry').locator('.labels').count(), 0, 'nobody else has it');
  // It finds the message.
  await visit(hers, '#/search?q=label%3Atravel');
  await hers.locator('main', { hasText: 'The ferry is full' }).waitFor();
  await talkWith(hers, toBob);
  await choose(hers, message, 'Labels');
  await dialog.getByRole('checkbox', { name: 'travel' }).uncheck();
  await hers.keyboard.press('Escape');
  await until('it is off', async () => (await message.locator('.labels').count()) === 0);

  // A task, given to somebody until some time; he does it, and she sees that he did.
  await choose(hers, message, 'Make it a task');
  await message.locator('.task').waitFor();
  await choose(hers, message, 'Task: who and when');
  await dialog.getByLabel('Who does it').selectOption({ label: 'bob' });
  const day = new Date(Date.now() + 3 * 86_400_000).toISOString().slice(0, 10);
  await dialog.getByLabel('Until when').fill(`${day}T18:00`);
  await dialog.getByRole('button', { name: 'Save', exact: true }).click();
  await message.locator('.task', { hasText: /bob.*due/s }).waitFor();
  const hisTask = said(talk(his), 'The ferry').locator('.task');
  await hisTask.filter({ hasText: /me.*due/s }).waitFor();
  await hisTask.getByRole('checkbox').check();
  await message.locator('.task.done').waitFor();
  await message.locator('.task').getByRole('checkbox').uncheck();
  await until('it is open again', async () => (await hisTask.locator('input').isChecked()) === false);
  // And is none any more.
  await choose(hers, message, 'Task: who and when');
  await dialog.getByRole('button', { name: 'No task any more' }).click();
  await until('it is a message like others', async () => (await said(talk(his), 'The ferry').locator('.task').count()) === 0);
}
