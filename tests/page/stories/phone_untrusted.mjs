// A phone whose owner did not install the certificate: the browser warns, and behind the warning the page works online only,
// says so and says how to change that.
import { equal, field, holds, said, talk, talkWith, until, visit } from '../lib.mjs';
import { goOn, Phone, tell, warning } from '../phone.mjs';

export default async function (world) {
  const { alice, bob } = world.people;
  const toBob = `dak:${(await bob.one('me')).peer_id}`;
  const listen = (await bob.one('me')).listen[0];
  const came = async () => (await bob.rows('talk', 'alice')).map((row) => row.text);
  const phone = new Phone(world);
  world.known.push(/An SSL certificate error occurred when fetching the script/);
  const shown = await alice.one('web', '--lan');
  let page = await phone.open();
  await phone.pair(page, shown, async () => {
    equal(await warning(page), 'ERR_CERT_AUTHORITY_INVALID', 'why the browser warns');
    await goOn(page);
  });

  // It is said at once, in settings, and to whoever wants to know why.
  const notice = page.locator('.link-state', { hasText: 'works online only, because the browser does not trust the certificate' });
  await notice.waitFor();
  equal(await page.evaluate(async () => (await navigator.serviceWorker.getRegistrations().catch(() => [])).length), 0, 'no worker');
  const cdp = await phone.context.newCDPSession(page);
  const errors = (await cdp.send('Page.getInstallabilityErrors')).installabilityErrors;
  holds(errors.length > 0, 'a page that is not trusted is not installed');
  await visit(page, '#/settings');
  await page.getByText('This browser does not trust the certificate of the node, and keeps nothing of the page.').waitFor();
  equal(await page.getByRole('link', { name: 'How to install the certificate' }).count(), 2, 'both lead on');
  await notice.getByRole('link').click();
  await page.getByRole('heading', { name: 'Open the page anew' }).waitFor();
  await page.getByText('Download the certificate').waitFor();
  holds(!(await page.getByRole('link', { name: 'Go on' }).isVisible()), 'it is paired already');
  await page.getByRole('link', { name: 'Open the page' }).click();
  await page.locator('.shell').waitFor();
  await notice.getByRole('button', { name: 'Close' }).click();
  await notice.waitFor({ state: 'detached' });

  // Online all works.
  await talkWith(page, toBob);
  await tell(talk(page), 'from a phone');
  await until('it came', async () => (await came()).includes('from a phone'));
  await bob.run('send', 'alice', 'to a phone');
  await said(talk(page), 'to a phone').waitFor();

  // The node goes: nothing waits here, and nobody believes that it does.
  await alice.kill();
  await page.getByText(/This page works online only: nothing can be sent until the node is in reach/).first().waitFor();
  await tell(talk(page), 'not now');
  await page.locator('.toast', { hasText: 'works online only' }).waitFor();
  equal(await page.locator('.waits li').count(), 0, 'nothing waits');
  await until('what was written stays where it was', async () => (await field(talk(page)).inputValue()) === 'not now');
  // It shows the certificate that the owner went on with: nobody has to go on anew.
  await alice.up('--peer', listen);
  await page.locator('.link-state').waitFor({ state: 'detached' });
  await talk(page).getByRole('button', { name: 'Send', exact: true }).tap();
  await until('it came', async () => (await came()).includes('not now'));
  equal((await came()).filter((text) => text === 'not now').length, 1, 'once');

  // Away when the page is opened: the browser has nothing to show.
  await alice.kill();
  await page.goto('about:blank');
  const error = await page.goto(`${shown.page}/`).then(() => '', String);
  holds(/ERR_CONNECTION_REFUSED/.test(error), `no page without the node: ${error}`);
}
