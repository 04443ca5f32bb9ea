// Answers in a thread: beside the conversation, counted truly, heard of in every tab, and what is begun there is kept.
import { asked, choose, field, holds, said, talk, talkWith, until, visit, write } from '../lib.mjs';

/** More messages than a page shows at once. */
const BETWEEN = 260;

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [await bob.address(), await alice.address()];
  const hers = await alice.page();
  await bob.run('send', 'alice', 'Where do we meet?');
  await talkWith(hers, toBob);
  const question = said(talk(hers), 'Where do we meet?');
  await question.waitFor();
  const second = await hers.context().newPage();
  await second.goto(hers.url());
  await said(talk(second), 'Where do we meet?').waitFor();

  await choose(hers, question, 'Open the thread');
  const thread = hers.locator('.thread-pane');
  await said(thread, 'Where do we meet?').waitFor();
  await write(thread, 'At the old bridge.');
  await said(thread, 'At the old bridge.').waitFor();
  const replies = (page) => said(talk(page), 'Where do we meet?').locator('.replies');
  for (const page of [hers, second]) {
    await replies(page).filter({ hasText: '1 reply' }).waitFor();
  }

  // It is an answer at the other side too, in the thread of that name; what he answers there comes into the open pane.
  const his = await bob.page();
  await talkWith(his, toAlice);
  await replies(his).filter({ hasText: '1 reply' }).click();
  const theirs = his.locator('.thread-pane');
  await said(theirs, 'At the old bridge.').waitFor();
  await write(theirs, 'At six?');
  await said(thread, 'At six?').waitFor();
  const answer = (await alice.rows('talk', 'bob')).find((row) => row.text === 'At six?');
  await alice.run('reply', answer.id, 'Half past.');
  for (const pane of [thread, theirs]) await said(pane, 'Half past.').waitFor();
  for (const page of [hers, second, his]) await replies(page).filter({ hasText: '3 replies' }).waitFor();

  // What is begun in the thread stays there, and is not mistaken for what is begun beside it.
  await field(thread).fill('And bring');
  await field(talk(hers)).fill('Something else');
  await until('both are kept', async () => (await alice.rows('draft', 'list')).length === 2);
  await hers.reload();
  await until('the thread has its own', async () => (await field(hers.locator('.thread-pane')).inputValue()) === 'And bring');
  await until('and the conversation its', async () => (await field(talk(hers)).inputValue()) === 'Something else');
  await field(talk(hers)).fill('');
  await write(hers.locator('.thread-pane'), 'And bring the rope.');
  await said(theirs, 'And bring the rope.').waitFor();
  await until('nothing of it is kept', async () => (await alice.rows('draft', 'list')).length === 0);

  // Also where the answers are far away from the question, the count is a true one.
  for (let n = 0; n < BETWEEN; n += 1) await asked(hers, 'POST', '/v1/send', { to: 'bob', text: `number ${n}` });
  await bob.run('reply', answer.id, 'I have it.');
  await said(hers.locator('.thread-pane'), 'I have it.').waitFor();
  const id = (await alice.rows('talk', 'bob', '--limit', '400')).find((row) => row.text === 'Where do we meet?').id;
  await visit(second, `#/talk/${encodeURIComponent(toBob)}?at=${id}`);
  await replies(second).filter({ hasText: '5 replies' }).waitFor();
  holds((await said(talk(second), 'I have it.').count()) === 0, 'the last of them is not even here');
  // One that is deleted counts no more.
  const gone = (await alice.rows('talk', 'bob', '--limit', '5')).find((row) => row.text === 'I have it.');
  await alice.run('delete', gone.id);
  await replies(second).filter({ hasText: '4 replies' }).waitFor();
  await until('it is not in the thread', async () => (await said(hers.locator('.thread-pane'), 'I have it.').count()) === 0);
}
