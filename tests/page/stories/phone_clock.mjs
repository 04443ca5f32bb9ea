// A phone's clock is years off, or the node's: the first page says by how much, before the browser says that it trusts nobody.
import { about, equal, holds, until, visit } from '../lib.mjs';
import { Phone, warning } from '../phone.mjs';

const YEAR_MS = 365.25 * 86_400_000;

export default async function (world) {
  const { alice } = world.people;
  const phone = new Phone(world);
  // The authority is made while the node's clock is off, as on a machine that has none of its own, and counts once it is right.
  if (about.otherClock) {
    await restart(alice, '+3y');
    await alice.run('web', '--lan');
    await restart(alice, null);
  }
  let shown = await alice.one('web', '--lan');
  await phone.trust(shown);
  let page = await phone.open();
  const clock = page.locator('#clock');
  const start = async (address = shown.url) => {
    await page.goto('about:blank');
    await page.goto(address);
    await page.getByText(shown.fingerprint).waitFor();
  };

  // As the scripts of a page see the clock of a phone.
  for (const [years, words] of [[3, '3 years ahead of'], [-4, '4 years behind']]) {
    const odd = await phone.tabWithClock(years * YEAR_MS);
    await odd.goto(shown.url);
    await odd.locator('#clock', { hasText: `The clock of this device is ${words} the node's.` }).waitFor();
    const said = await odd.locator('#clock').innerText();
    const [here, there] = [years, 0].map((many) => String(new Date(Date.now() + many * YEAR_MS).getFullYear()));
    holds(said.includes(here) && said.includes(there), `both times are told: ${said}`);
    holds(/not private/.test(said), `and what comes of it: ${said}`);
    await odd.close();
  }
  await start();
  holds(!(await clock.isVisible()), 'where they agree nothing is said');
  await phone.pair(page, shown);

  // The page itself, once it was let in.
  const odd = await phone.tabWithClock(3 * YEAR_MS);
  await odd.goto(`${shown.page}/`);
  await odd.locator('.link-state', { hasText: 'The clock of this device is 3 years ahead of your node’s' }).waitFor();
  await odd.close();
  await visit(page, '#/settings');
  await page.getByText('are kept in this browser, sealed').waitFor();
  equal(await page.locator('.link-state').count(), 0, 'where they agree nothing is said');

  if (!about.otherClock) return console.error('NOT TESTED: a node whose clock is off, for which libfaketime has to be there');
  // The node's clock is off, and with it what its certificate says; for the browser that is as if the phone's were.
  for (const [off, words] of [['+3y', '3 years behind'], ['-4y', '4 years ahead of']]) {
    await restart(alice, off);
    await page.goto('about:blank');
    // What the phone kept is there, and leads to what says why.
    await page.goto(`${shown.page}/`);
    await page.locator('.link-state', { hasText: 'Away from your node' }).waitFor();
    await page.getByRole('link', { name: /compare the clocks/ }).click();
    await page.locator('#clock', { hasText: `The clock of this device is ${words} the node's.` }).waitFor();
    shown = await alice.one('web', '--lan');
    await start();
    holds(await clock.isVisible(), 'so does the first page of another pairing');
    await page.getByRole('link', { name: 'Go on' }).click().catch(() => {});
    equal(await warning(page), 'ERR_CERT_DATE_INVALID', 'why the browser warns');
    await page.goto('about:blank');
  }

  // Once it is right, nothing has to be done at the phone.
  await restart(alice, null);
  await page.goto(`${shown.page}/`);
  await page.locator('.shell').waitFor();
  await until('it is in reach', async () => (await page.locator('.link-state').count()) === 0);
}

async function restart(person, clock) {
  await person.down();
  person.hasClock(clock);
  await person.up();
}
