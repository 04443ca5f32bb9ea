// What comes is told by the system once, by whichever tab, and only while nobody looks; quiet hours keep it back, but for what
// is urgent.
import { equal, holds, talkWith, until } from '../lib.mjs';

/** Writes down what the system is asked to show, and has pages looked at only where a story says so. */
function before() {
  window.shown = [];
  window.looks = false;
  const Real = window.Notification;
  window.Notification = class extends Real {
    constructor(title, options) {
      super(title, options);
      window.shown.push({ title, body: options?.body });
    }
  };
  Document.prototype.hasFocus = () => window.looks;
  // What tells the system hears of it by another way than what draws it.
  const real = window.fetch;
  window.followed = '';
  window.fetch = async (...asked) => {
    const answer = await real(...asked);
    if (!String(asked[0]?.url ?? asked[0]).includes('/v1/inbox/follow') || !answer.ok) return answer;
    const [mine, theirs] = answer.body.tee();
    mine.pipeThrough(new TextDecoderStream()).pipeTo(new WritableStream({ write: (said) => void (window.followed += said) })).catch(() => undefined);
    return new Response(theirs, { status: answer.status, headers: answer.headers });
  };
}

export default async function (world) {
  const { alice, bob, carol } = world.people;
  const toBob = await bob.address();
  const open = async (who) => {
    const page = await who.page({ before });
    await page.context().grantPermissions(['notifications'], { origin: new URL(page.url()).origin });
    equal(await page.evaluate(() => Notification.permission), 'granted', 'the browser lets it');
    return page;
  };
  const shown = (page) => page.evaluate(() => window.shown);
  const heard = (words) =>
    until(`what tells the system heard ${words}`, async () => {
      const followed = await Promise.all([page, second].map((one) => one.evaluate(() => window.followed)));
      return followed.some((said) => said.includes(words));
    });
  const page = await open(alice);
  const second = await page.context().newPage();
  await second.goto(page.url());
  await second.locator('.shell').waitFor();
  // Nobody asked for them.
  await bob.run('send', 'alice', 'not told');
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  await page.locator('.talk-row', { hasText: 'not told' }).waitFor();
  equal([await shown(page), await shown(second)].flat(), [], 'off until somebody wants them');

  await page.evaluate(() => (location.hash = '#/settings'));
  await page.getByRole('checkbox', { name: 'Notifications' }).check();
  await until('both tabs know', () => second.evaluate(() => localStorage.getItem('dak.notify') === 'true'));
  await until('and the node is listened to', async () => {
    await bob.run('send', 'alice', 'are you there?');
    return [await shown(page), await shown(second)].flat().length > 0;
  });
  const all = async () => [await shown(page), await shown(second)].flat();
  await bob.run('send', 'alice', '<b>Bring</b> the rope.\nNow.');
  const last = await until('it is told', async () => (await all()).find((one) => one.body?.includes('rope')));
  equal(last, { title: 'bob', body: '<b>Bring</b> the rope. Now.' }, 'as it was written, in one line');
  holds((await all()).filter((one) => one.body?.includes('rope')).length === 1, 'once, of two tabs');

  // Who looks is not told; a muted conversation keeps silent.
  await talkWith(page, toBob);
  for (const one of [page, second]) await one.evaluate(() => (window.looks = true));
  await bob.run('send', 'alice', 'seen as it comes');
  await page.locator('article.message', { hasText: 'seen as it comes' }).waitFor();
  await heard('seen as it comes');
  for (const one of [page, second]) await one.evaluate(() => (window.looks = false));
  await alice.run('mute', 'bob');
  await bob.run('send', 'alice', 'muted');
  await page.locator('article.message', { hasText: 'muted' }).waitFor();
  await alice.run('unmute', 'bob');
  await bob.run('send', 'alice', 'heard again');
  await until('it is told again', async () => (await all()).some((one) => one.body === 'heard again'));
  equal((await all()).filter((one) => /seen as it comes|muted/.test(one.body ?? '')), [], 'neither of both');

  // Quiet hours are the node's; hers began an hour or two ago and last.
  const hour = (from) => `${String((new Date().getHours() + 24 + from) % 24).padStart(2, '0')}:00`;
  await carol.run('config', 'set', 'quiet', `${hour(-1)}-${hour(11)}`);
  await carol.down();
  await carol.up('--peer', (await alice.one('me')).listen[0]);
  const carols = await open(carol);
  await carols.evaluate(() => (location.hash = '#/settings'));
  await carols.getByRole('checkbox', { name: 'Notifications' }).check();
  await until('urgent words come through', async () => {
    await bob.run('send', 'carol', 'the dam!', '-p', 'urgent');
    return (await shown(carols)).length > 0;
  });
  await bob.run('send', 'carol', 'no hurry');
  await until('it came', async () => (await carol.rows('inbox')).some((row) => row.text === 'no hurry'));
  await carols.evaluate(() => (location.hash = '#/talk'));
  await carols.locator('.talk-row', { hasText: 'no hurry' }).waitFor();
  await bob.run('send', 'carol', 'it is over', '-p', 'urgent');
  await until('the next urgent one', async () => (await shown(carols)).some((one) => one.body === 'it is over'));
  equal((await shown(carols)).filter((one) => one.body === 'no hurry'), [], 'it waits for the morning');
}
