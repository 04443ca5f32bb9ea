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
}
