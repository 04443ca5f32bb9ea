// In the pseudo-language every word of the page stands in brackets; what stands outside of them was written past the catalogue.
import { SCREENS, until, visit } from '../lib.mjs';

/** Words of people and of the node, figures, and what languages call themselves. */
const OTHERS = [/alice|bob|dak|12D3Koo|[0-9]/, /^(English|Deutsch)$/];

export default async function ({ people: { alice, bob } }) {
  const toBob = `dak:${(await bob.one('me')).peer_id}`;
  await bob.run('send', 'alice', '12:00');
  await alice.run('send', 'bob', '13:00', '--task');
  await alice.run('topic', 'create', 'bob');
  await alice.run('group', 'create', '4711', '--with', 'bob');
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  const page = await alice.page({ query: 'lang=pseudo' });
  const peer = (await bob.one('me')).peer_id;
  const places = [...SCREENS.map((screen) => `#/${screen}`), `#/talk/${encodeURIComponent(toBob)}`, `#/people/${peer}`, '#/people/me'];
  for (const place of places) {
    await visit(page, place);
    await until(`${place} is there`, () => page.evaluate(() => !document.querySelector('.waiting') && document.querySelector('main')?.innerText.includes('[')));
    const bare = await page.evaluate(() => {
      const found = [];
      const isOthers = (element) => element.closest('bdi, code, kbd, time, .prose, .avatar, svg text, .said-quote, [data-said], table td, .checks p, .safety-words, option[value*="@"]');
      const outside = (text) => text.replace(/\[[^[\]]*(\[[^\]]*\][^[\]]*)*\]/g, ' ');
      const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
      for (let node = walk.nextNode(); node; node = walk.nextNode()) {
        const element = node.parentElement;
        if (!element || element.closest('script, style, noscript') || isOthers(element)) continue;
        // A sentence may hold words of others: its brackets are around all of it.
        const whole = element.closest('p, a, button, label, li, h1, h2, h3, dt, dd, th, span') ?? element;
        const text = outside(whole.textContent ?? '');
        if (/\p{L}{2,}/u.test(outside(node.nodeValue ?? '')) && /\p{L}{2,}/u.test(text)) found.push((node.nodeValue ?? '').trim());
      }
      for (const element of document.querySelectorAll('[aria-label], [title], [placeholder]')) {
        if (isOthers(element)) continue;
        for (const name of ['aria-label', 'title', 'placeholder']) {
          const text = element.getAttribute(name);
          if (text && /\p{L}{2,}/u.test(outside(text))) found.push(`${name}: ${text}`);
        }
      }
      return found;
    });
    const wrong = bare.filter((text) => !OTHERS.some((others) => others.test(text)));
    if (wrong.length) throw new Error(`${place} has words of its own: ${JSON.stringify(wrong)}`);
    const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    if (wide > 0) throw new Error(`${place} is ${wide} px too wide for long words`);
  }
}
