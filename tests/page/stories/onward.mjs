// What is passed on to another, and what goes later.
import { choose, equal, field, holds, said, talk, talkWith, until } from '../lib.mjs';

export default async function ({ people: { alice, bob, carol } }) {
  const [toBob, toCarol] = [await bob.address(), await carol.address()];
  const toAlice = await alice.address();
  await bob.run('send', 'alice', 'High water at ten past six.');
  const hers = await alice.page();
  const dialog = hers.locator('dialog[open]');
  await talkWith(hers, toBob);
  await choose(hers, said(talk(hers), 'High water'), 'Forward');
  await dialog.getByLabel('To whom').selectOption({ label: 'carol' });
  await dialog.getByLabel('What you say about it').fill('As I told you');
  await dialog.getByRole('button', { name: 'Forward', exact: true }).click();
  await hers.locator('.toast', { hasText: 'Forwarded to carol.' }).waitFor();
  const carols = await carol.page();
  await talkWith(carols, toAlice);
  const came = said(talk(carols), 'High water at ten past six.');
  await came.waitFor();
  // Whose words they are, and whose the others are; his signature came along.
  await came.locator('.forwarded', { hasText: /of bob .*signed by them/ }).waitFor();
  holds(/As I told you/.test(await came.innerText()), 'what she says of it');

  // At a time; shown until then, sent at once or deleted where somebody wants that.
  await talkWith(hers, toCarol);
  const tomorrow = new Date(Date.now() + 86_400_000).toISOString().slice(0, 10);
  const later = async (text) => {
    await talk(hers).getByRole('button', { name: 'How and when it goes' }).click();
    await hers.getByLabel('Send it at').fill(`${tomorrow}T08:30`);
    await field(talk(hers)).fill(text);
    await talk(hers).getByRole('button', { name: 'Send later', exact: true }).click();
    await hers.locator('.scheduled li', { hasText: text }).waitFor();
  };
  await later('Good morning');
  await later('And good night');
  equal((await alice.rows('draft', 'list')).filter((row) => row.at).length, 2, 'both wait');
  await until('the field is free', async () => (await field(talk(hers)).inputValue()) === '');
  // They wait at the node, whatever page is open.
  await hers.reload();
  const waits = (text) => hers.locator('.scheduled li', { hasText: text });
  await waits('Good morning').getByRole('button', { name: 'Send now' }).click();
  await said(talk(carols), 'Good morning').waitFor();
  await waits('And good night').getByRole('button', { name: 'Delete, unsent' }).click();
  await until('nothing waits', async () => (await alice.rows('draft', 'list')).length === 0);
  await until('the page says so', async () => (await hers.locator('.scheduled li').count()) === 0);
  equal((await carol.rows('inbox')).some((row) => row.text === 'And good night'), false, 'it never went');
}
