// A voice and a video message: recorded, paused, gone on with, kept while they are a draft, sent, and played in place at the
// other home. The browser's microphone and camera are made up.
import { field, holds, talk, talkWith, until } from '../lib.mjs';

export const flags = ['--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream', '--autoplay-policy=no-user-gesture-required'];

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [await bob.address(), await alice.address()];
  const [hers, his] = [await alice.page(), await bob.page()];
  await talkWith(hers, toBob);
  await talkWith(his, toAlice);
  await field(talk(hers)).waitFor();
  for (const [kind, button] of [
    ['audio', 'Record a voice message'],
    ['video', 'Record a video message'],
  ]) {
    const recorder = hers.locator('.recorder');
    const time = recorder.locator('.recorder-time');
    await talk(hers).getByRole('button', { name: button }).click();
    const seconds = async () => Number(/(\d+):(\d\d)/.exec(await time.innerText())?.[2] ?? -1);
    await until('it runs', async () => (await seconds()) >= 1);
    await recorder.getByRole('button', { name: 'Pause' }).click();
    await time.filter({ hasText: 'paused' }).waitFor();
    const paused = await seconds();
    await recorder.getByRole('button', { name: 'Go on' }).click();
    await until('it goes on', async () => (await seconds()) > paused);

    // The page goes while it is paused: what was said so far is not lost.
    await recorder.getByRole('button', { name: 'Pause' }).click();
    await time.filter({ hasText: 'paused' }).waitFor();
    await until('it is kept', () => kept(hers, true));
    await hers.reload();
    const chosen = hers.locator('.chosen li.heard');
    await chosen.waitFor();
    // It can be listened to before it goes.
    await chosen.locator(kind).waitFor({ state: 'attached' });
    await chosen.getByRole('button', { name: /^Without / }).click();
    await until('it is left out', async () => (await chosen.count()) === 0);

    // Thrown away, it is not sent; taken, it is a file of the message.
    await talk(hers).getByRole('button', { name: button }).click();
    await until('it runs', async () => (await seconds()) >= 1);
    await recorder.getByRole('button', { name: 'Throw it away' }).click();
    await until('nothing of it is left', async () => (await recorder.count()) === 0);
    await talk(hers).getByRole('button', { name: button }).click();
    await until('it runs', async () => (await seconds()) >= 2);
    await recorder.getByRole('button', { name: 'Stop' }).click();
    await recorder.locator(kind).waitFor({ state: 'attached' });
    await recorder.getByRole('button', { name: 'Add to the message' }).click();
    await chosen.waitFor();
    await until('it is kept with the draft', () => kept(hers, false));
    await hers.reload();
    await chosen.waitFor();
    await talk(hers).getByRole('button', { name: 'Send', exact: true }).click();

    const media = talk(his).locator(`article.message ${kind}`);
    await media.waitFor({ state: 'attached' });
    const player = talk(his).locator('.player').filter({ has: his.locator(kind) });
    await player.getByRole('button', { name: 'Play', exact: true }).click();
    await until('it plays', () => media.evaluate((element) => element.currentTime > 0 && !element.error));
    const length = await until('it is known how long it is', () => media.evaluate((element) => Number.isFinite(element.duration) && element.duration));
    holds(length >= 1, `all of it came: ${length} s`);
    // And hers plays too, out of her own home.
    await talk(hers).locator(`article.message ${kind}`).waitFor({ state: 'attached' });
    await until('nothing waits to be sent', async () => (await chosen.count()) === 0);
  }
}

/** Whether the browser has something of what is being recorded, or files of a draft. */
function kept(page, isRecorded) {
  return page.evaluate(async (isRecorded) => {
    if (!(await indexedDB.databases()).some((base) => base.name === 'dak')) return false;
    const base = await new Promise((resolve, reject) => {
      const opened = indexedDB.open('dak');
      opened.onsuccess = () => resolve(opened.result);
      opened.onerror = () => reject(opened.error);
    });
    const all = base.transaction('kept').objectStore('kept').getAllKeys();
    await new Promise((resolve) => (all.onsuccess = resolve));
    base.close();
    return all.result.some((name) => name.startsWith('files ') && name.endsWith(' recorded') === isRecorded);
  }, isRecorded);
}
