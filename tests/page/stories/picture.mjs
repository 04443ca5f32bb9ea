// The picture that the README leads with, written to where `DAK_PAGE_PICTURE` says; else it is looked at and forgotten.
import { holds, visit } from '../lib.mjs';
import { fill } from '../scene.mjs';

export default async function ({ people }) {
  const { alice, bob } = people;
  await fill(people);
  const page = await alice.page({ viewport: { width: 1440, height: 900 }, colorScheme: 'light', reducedMotion: 'reduce' });
  await visit(page, `#/talk/${encodeURIComponent((await bob.one('me')).peer_id.replace(/^/, 'dak:'))}`);
  await page.locator('.message', { hasText: 'The survey, as promised' }).waitFor();
  await page.locator('.talk-item', { hasText: 'The lamp is with me' }).first().waitFor();
  const path = process.env.DAK_PAGE_PICTURE;
  const bytes = await page.screenshot({ animations: 'disabled', ...(path ? { path } : {}) });
  holds(bytes.length > 20_000, 'there is something to be seen');
}
