// A link lets one browser in, once; a browser that was shown out reads nothing more.
import { equal, holds } from '../lib.mjs';

export default async function (world) {
  const { alice } = world.people;
  const link = await alice.link();
  const origin = new URL(link).origin;
  holds(/^http:\/\/dak-[a-z2-7]{8}\.localhost:\d+$/.test(origin), `a host of its own: ${origin}`);
  const first = await world.browser.newContext();
  const page = await first.newPage();
  world.watch(page);
  await page.goto(link);
  await page.locator('.shell').waitFor();
  holds(!page.url().includes('open='), 'the link is out of sight');
  await page.reload();
  await page.locator('.shell').waitFor();

  // The same link, in the hands of somebody who looked over her shoulder.
  const other = await (await world.browser.newContext()).newPage();
  await other.goto(link);
  await other.locator('.lost').waitFor();
  equal(await status(other, '/v1/contacts'), 401, 'nothing is read without a session');

  // Half of a session is none: the cookie goes along by itself, and the page's own secret does not.
  equal(await status(page, '/v1/me'), 401, 'the cookie alone does nothing');
  equal(await status(page, '/v1/me', true), 200, 'both halves do');

  // What a browser did that is shown out: it says so, and asks nothing more of the node.
  const devices = await alice.rows('web', 'devices');
  equal(devices.length, 1, 'one browser');
  await alice.run('web', 'devices', '--revoke', devices[0].name);
  await page.locator('.lost').waitFor();
  equal(await status(page, '/v1/me', true), 401, 'it is shown out');
  const answer = await page.evaluate(async () => (await fetch('/v1/me')).text());
  holds(!answer.includes('alice'), answer);

  // It comes in again by a new link; and goes by itself.
  await page.goto('about:blank');
  await page.goto(await alice.link());
  await page.locator('.shell').waitFor();
  await page.evaluate(() => (location.hash = '#/settings'));
  await page.getByRole('button', { name: /way in/ }).click();
  await page.locator('.lost').waitFor();
  equal((await alice.rows('web', 'devices')).length, 0, 'nobody is let in any more');
}

function status(page, path, whole = false) {
  return page.evaluate(
    async ([path, whole]) => {
      const secret = localStorage.getItem('dak.page');
      return (await fetch(path, { headers: whole && secret ? { 'dak-page': secret } : {} })).status;
    },
    [path, whole],
  );
}
