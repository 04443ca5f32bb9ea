// From the list of conversations to a sent answer, and around the screens, without a pointer.
import { holds, until } from '../lib.mjs';

export default async function ({ people: { alice, bob } }) {
  await bob.run('send', 'alice', 'Can you bring two seals?');
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  const page = await alice.page();
  const keys = page.keyboard;
  const focused = () => page.evaluate(() => document.activeElement?.textContent ?? '');

  // Everything that has the focus shows that it has.
  await page.locator('main a', { hasText: 'bob' }).first().waitFor();
  let steps = 0;
  do {
    await keys.press('Tab');
    holds((steps += 1) < 60, 'the conversation is reached by Tab');
  } while (!(await focused()).includes('Can you bring'));
  holds(
    await page.evaluate(() => {
      const { outlineStyle, outlineWidth } = getComputedStyle(document.activeElement);
      return outlineStyle !== 'none' && parseFloat(outlineWidth) >= 1.5;
    }),
    'the focus is seen',
  );
  await keys.press('Enter');
  await page.locator('.compose textarea').waitFor();
  for (steps = 0; !(await page.evaluate(() => document.activeElement?.tagName === 'TEXTAREA')); steps += 1) {
    holds(steps < 60, 'the field to write in is reached by Tab');
    await keys.press('Tab');
  }
  await keys.type('I have one.');
  await keys.press('Enter');
  await until('it was sent', async () => (await bob.rows('inbox')).some((row) => row.text === 'I have one.'));

  // Screens by their numbers, and what can be done there.
  const screens = await page.evaluate(() => [...document.querySelectorAll('.nav ul a')].map((link) => new URL(link.href).hash));
  const people = screens.indexOf('#/people');
  await keys.press('Escape');
  await page.evaluate(() => document.activeElement?.blur());
  await keys.press(`Alt+Digit${people + 1}`);
  await page.getByRole('heading', { name: 'People', level: 1 }).waitFor();
  for (steps = 0; !/^Add$/.test((await focused()).trim()); steps += 1) {
    holds(steps < 60, '“Add” is reached by Tab');
    await keys.press('Tab');
  }
  await keys.press('Enter');
  await page.locator('dialog[open]').waitFor();
  await until('the focus is in the dialog', () => page.evaluate(() => document.querySelector('dialog[open]')?.contains(document.activeElement)));
  await keys.press('Escape');
  await until('it is closed', async () => (await page.locator('dialog[open]').count()) === 0);
  await until('the focus is back where it was', async () => (await focused()).trim() === 'Add');

  // A task goes from column to column by the arrows.
  await alice.run('send', 'bob', 'Mend the pump', '--task');
  await page.evaluate(() => (location.hash = '#/tasks'));
  const card = page.locator('.task-card', { hasText: 'Mend the pump' });
  await card.waitFor();
  await card.focus();
  await keys.press('ArrowRight');
  await page.locator('.column.taken .task-card', { hasText: 'Mend the pump' }).waitFor();
  await until('the card keeps the focus', () => page.evaluate(() => document.activeElement?.classList.contains('task-card')));
  await keys.press('ArrowRight');
  await page.locator('.column.done .task-card', { hasText: 'Mend the pump' }).waitFor();
  await until('bob hears of it', async () => (await bob.rows('task', 'list', '--all')).some((row) => row.state === 'done'));
}
