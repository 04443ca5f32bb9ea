// Two people talk on their pages; what comes shows up by itself, in every tab and in the terminal.
import { equal, holds, until, visit } from '../lib.mjs';

const talkWith = (page, address) => visit(page, `#/talk/${encodeURIComponent(address)}`);
const compose = (page) => page.locator('.compose textarea');
const said = (page, text) => page.locator('.message', { hasText: text });

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [`dak:${(await bob.one('me')).peer_id}`, `dak:${(await alice.one('me')).peer_id}`];
  const [hers, his] = [await alice.page(), await bob.page()];
  await talkWith(hers, toBob);
  await talkWith(his, toAlice);
  await hers.evaluate(() => (window.stillTheSame = true));
  await his.evaluate(() => (window.stillTheSame = true));

  await compose(hers).fill('The pump at camp three leaks.');
  await compose(hers).press('Enter');
  await said(his, 'The pump at camp three leaks.').waitFor();
  // Whose word it is.
  await hers.locator('.message', { hasText: 'The pump' }).getByText(/delivered|read/i).first().waitFor();
  await compose(his).fill('I have a seal.\nFerry on Thursday.');
  await compose(his).press('Enter');
  await said(hers, 'Ferry on Thursday.').waitFor();

  // Another tab of the same browser, and somebody who types.
  const second = await hers.context().newPage();
  await second.goto(hers.url());
  await second.locator('.shell').waitFor();
  await talkWith(second, toBob);
  await said(second, 'Ferry on Thursday.').waitFor();
  await compose(second).fill('From the other tab');
  await compose(second).press('Enter');
  await said(hers, 'From the other tab').waitFor();
  await said(his, 'From the other tab').waitFor();
  await alice.run('send', 'bob', 'from a terminal');
  for (const page of [hers, second, his]) await said(page, 'from a terminal').waitFor();
  for (const page of [hers, second]) equal(await said(page, 'From the other tab').count(), 1, 'each once');

  // A tab goes; the other one hears of what comes all the same.
  await hers.close();
  await bob.run('send', 'alice', 'are you still there?');
  await said(second, 'are you still there?').waitFor();
  // And the terminal sees what the page wrote.
  const rows = await until('the terminal has it', async () => {
    const rows = await bob.rows('talk', 'alice');
    return rows.some((row) => row.text === 'From the other tab') && rows;
  });
  equal(rows.filter((row) => row.kind === 'text').length, 5, 'all that was said');
  holds(await his.evaluate(() => window.stillTheSame === true), 'no page was loaded anew');

  // What comes while a conversation is being looked up: the answer on its way knows nothing of it.
  await whileLookedUp(second, toBob, async () => {
    await bob.run('send', 'alice', 'came meanwhile');
    await second.locator('.talk-row', { hasText: 'came meanwhile' }).waitFor();
  });
  await said(second, 'came meanwhile').waitFor();
  // What is changed or goes meanwhile, with nothing new after which all would be looked up once more.
  for (const text of ['as it was', 'soon gone']) await bob.run('send', 'alice', text);
  await said(second, 'soon gone').waitFor();
  const idOf = async (text) => (await alice.rows('talk', 'bob')).find((row) => row.text === text).id;
  const [toChange, toGo] = [await idOf('as it was'), await idOf('soon gone')];
  await whileLookedUp(second, toBob, async () => {
    await alice.run('delete', toGo);
    await bob.run('edit', toChange, 'as it is');
    await second.locator('.talk-row', { hasText: 'as it is' }).waitFor();
  });
  await said(second, 'as it is').waitFor();
  await until('it is gone', async () => (await said(second, 'soon gone').count()) === 0);
  equal(await said(second, 'as it was').count(), 0, 'it is not both');
}

/** Opens a conversation, and holds what the node answers back until something was done. */
async function whileLookedUp(page, who, doing) {
  await visit(page, '#/talk');
  await page.evaluate(() => {
    const real = window.fetch;
    const answered = [];
    window.held = 0;
    window.fetch = async (what, how) => {
      const answer = await real(what, how);
      if (String(what?.url ?? what).includes('/v1/talk/dak')) {
        window.held++;
        await new Promise((go) => answered.push(go));
      }
      return answer;
    };
    window.letGo = () => {
      window.fetch = real;
      answered.forEach((go) => go());
    };
  });
  await talkWith(page, who);
  await until('it is looked up', () => page.evaluate(() => window.held > 0));
  await doing();
  await page.evaluate(() => window.letGo());
}
