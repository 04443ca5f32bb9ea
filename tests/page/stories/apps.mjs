// The three apps that come along, used at two homes; what one tells is seen by the other while both look, and the same to
// who opens it later.
import { holds, until } from '../lib.mjs';

const inside = (page) => page.frameLocator('iframe.app-frame');

export default async function (world) {
  const { alice, bob } = world.people;
  const page = await alice.page();
  await page.evaluate(() => (location.hash = '#/app'));
  await page.getByRole('combobox', { name: 'With whom' }).selectOption({ label: 'bob' });
  await page.getByRole('button', { name: 'Begin Checklist' }).click();
  const list = inside(page);
  await list.getByRole('textbox', { name: 'Something to do' }).fill('bread');
  await list.getByRole('button', { name: 'Add' }).click();
  await list.getByRole('checkbox', { name: 'bread' }).waitFor();

  const other = await bob.page();
  await other.evaluate(() => (location.hash = '#/app'));
  await other.getByRole('link', { name: /Checklist/ }).click();
  const bobs = inside(other);
  await bobs.getByRole('checkbox', { name: 'bread' }).check();
  await until('the tick is at alice’s', () => list.getByRole('checkbox', { name: 'bread' }).isChecked());
  await bobs.getByRole('textbox', { name: 'Something to do' }).fill('<img src=x onerror=alert(1)>');
  await bobs.getByRole('textbox', { name: 'Something to do' }).press('Enter');
  await list.getByText('<img src=x onerror=alert(1)>').waitFor();
  await page.getByText('1 of 2 done').first().waitFor();

  // Who an app takes them for is no address, and another in each app.
  const self = await (await page.locator('iframe.app-frame').elementHandle()).contentFrame().then((frame) => frame.evaluate(() => [webxdc.selfAddr, webxdc.selfName, webxdc.isAppSender]));
  holds(/^[0-9a-f]{32}$/.test(self[0]) && self[1] === 'alice' && self[2] === true, JSON.stringify(self));

  // A poll: one asks, both vote, and the line of it stands in the conversation.
  await page.evaluate(() => (location.hash = '#/app'));
  await page.getByRole('combobox', { name: 'With whom' }).selectOption({ label: 'bob' });
  await page.getByRole('button', { name: 'Begin Poll' }).click();
  const poll = inside(page);
  await poll.getByRole('textbox', { name: 'What do you want to ask?' }).fill('Where?');
  await poll.getByRole('textbox', { name: 'First answer' }).fill('harbour');
  await poll.getByRole('textbox', { name: 'Second answer' }).fill('bridge');
  await poll.getByRole('button', { name: 'Ask', exact: true }).click();
  await poll.getByRole('radio', { name: /harbour/ }).check();
  await other.evaluate(() => (location.hash = '#/app'));
  await other.getByRole('link', { name: /Where\?/ }).click();
  await inside(other).getByRole('radio', { name: /bridge/ }).check();
  await poll.getByText('2 votes so far').waitFor();
  await until('the lines are there', async () => (await bob.rows('talk', 'alice')).filter((row) => row.kind === 'app').length >= 3);
  await until('the messages with the apps alone are unread', async () => (await bob.one('inbox', '--count')).unread === 2);

  // A text that both write in at once is one text.
  await page.evaluate(() => (location.hash = '#/app'));
  await page.getByRole('combobox', { name: 'With whom' }).selectOption({ label: 'bob' });
  await page.getByRole('button', { name: 'Begin Shared text' }).click();
  await inside(page).getByRole('textbox', { name: 'The text', exact: true }).fill('from alice');
  await other.evaluate(() => (location.hash = '#/app'));
  await other.getByRole('link', { name: /Shared text/ }).click();
  const text = inside(other).getByRole('textbox', { name: 'The text', exact: true });
  await until('her words are there', async () => (await text.inputValue()) === 'from alice');
  await text.fill('from alice, and from bob');
  await until('and his are hers', async () => (await inside(page).getByRole('textbox', { name: 'The text', exact: true }).inputValue()) === 'from alice, and from bob');
  // It asks before anything goes anywhere.
  await inside(page).getByRole('button', { name: 'Send as a file' }).click();
  const asked = page.getByRole('dialog', { name: 'The app wants to send' });
  await asked.getByText('text.txt').waitFor();
  await asked.getByRole('combobox').selectOption({ label: 'bob' });
  await asked.getByRole('button', { name: 'Send to bob' }).click();
  await until('it is there', async () => (await bob.rows('talk', 'alice')).some((row) => row.files.some((file) => file.name === 'text.txt')));
}
