// Files: dropped, pasted, chosen and kept with what is being written; small ones inside, large ones in parts, asked for
// and saved whole.
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { equal, field, holds, said, talk, talkWith, until, visit } from '../lib.mjs';

const sum = (bytes) => createHash('sha256').update(bytes).digest('hex');

/** As if somebody let files fall there, or pasted them. */
function bring(locator, how, files) {
  return locator.evaluate(
    (element, [how, files]) => {
      const data = new DataTransfer();
      for (const { name, text } of files) data.items.add(new File([text], name, { type: 'text/plain' }));
      const init = { bubbles: true, cancelable: true };
      if (how === 'paste') element.dispatchEvent(new ClipboardEvent('paste', { ...init, clipboardData: data }));
      else for (const kind of ['dragenter', 'dragover', 'drop']) element.dispatchEvent(new DragEvent(kind, { ...init, dataTransfer: data }));
    },
    [how, files],
  );
}

export default async function ({ people: { alice, bob } }) {
  const [toBob, toAlice] = [await bob.address(), await alice.address()];
  const [hers, his] = [await alice.page(), await bob.page()];
  await talkWith(hers, toBob);
  await talkWith(his, toAlice);
  const chosen = hers.locator('.chosen li');
  await field(talk(hers)).waitFor();

  // Let fall among the messages, and pasted where one writes; one of them is left out again.
  await bring(hers.locator('.said').first(), 'drop', [{ name: 'plan.txt', text: 'north slope' }, { name: 'oops.txt', text: 'no' }]);
  await chosen.filter({ hasText: 'oops.txt' }).getByRole('button', { name: 'Without oops.txt' }).click();
  await bring(field(talk(hers)), 'paste', [{ name: 'list.txt', text: 'rope, lamp' }]);
  await chosen.filter({ hasText: 'list.txt' }).waitFor();
  await field(talk(hers)).fill('As promised');
  // They stay with what is written, until it goes.
  await until('the words are kept', async () => (await alice.rows('draft', 'list')).length === 1);
  await hers.reload();
  for (const name of ['plan.txt', 'list.txt']) await chosen.filter({ hasText: name }).waitFor();
  await until('the words too', async () => (await field(talk(hers)).inputValue()) === 'As promised');
  await field(talk(hers)).press('Enter');
  const came = said(talk(his), 'As promised');
  await came.locator('.file', { hasText: 'list.txt' }).waitFor();
  await until('nothing is left to be sent', async () => (await chosen.count()) === 0 && (await alice.rows('draft', 'list')).length === 0);
  await hers.reload();
  await said(talk(hers), 'As promised').waitFor();
  equal(await chosen.count(), 0, 'what went is not kept');
  const saved = async (page, link) => {
    const [download] = await Promise.all([page.waitForEvent('download'), link.click()]);
    return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
  };
  const small = await saved(his, came.getByRole('link', { name: 'Save plan.txt' }));
  equal([small.name, small.bytes.toString()], ['plan.txt', 'north slope'], 'as it was');

  // A large one, larger than what comes by itself: he is told of it, asks while she is away, and has it once she is back.
  const large = Buffer.alloc(9_500_000);
  for (let n = 0; n < large.length; n += 4) large.writeUInt32LE((n * 2654435761) >>> 0, n);
  await talk(hers).locator('input[type=file]').setInputFiles({ name: 'survey.tar', mimeType: 'application/x-tar', buffer: large });
  await chosen.filter({ hasText: 'survey.tar' }).waitFor();
  await field(talk(hers)).fill('The survey');
  await field(talk(hers)).press('Enter');
  const offer = said(talk(his), 'The survey').locator('.file');
  await offer.filter({ hasText: 'there to be asked for' }).waitFor();
  await visit(his, '#/files');
  await visit(hers, '#/files');
  const [comes, goes] = [his, hers].map((page) => page.locator('.transfer', { hasText: 'survey.tar' }));
  await comes.filter({ hasText: 'offered' }).waitFor();
  await goes.waitFor();
  await alice.down();
  await until('she is away', async () => !(await bob.rows('peers')).length);
  await comes.getByRole('button', { name: 'Get it' }).click();
  await comes.filter({ hasText: 'asked for' }).waitFor();
  holds((await comes.getByRole('progressbar').count()) === 1, 'how far it is');
  await hers.locator('.link-state', { hasText: 'Away from your node' }).waitFor();
  await alice.up('--peer', (await bob.one('me')).listen[0]);
  await comes.locator('.chip', { hasText: 'here' }).waitFor();
  await goes.locator('.chip', { hasText: 'arrived' }).waitFor();
  const whole = await saved(his, comes.getByRole('link', { name: 'Save' }));
  equal([whole.name, sum(whole.bytes)], ['survey.tar', sum(large)], 'every byte of it');
  await talkWith(hers, toBob);
  await said(talk(hers), 'The survey').locator('.file', { hasText: 'they have it' }).waitFor();
}
