// No screen has a serious finding of axe's, at both widths and in both looks; and none is wider than its window.
import { createRequire } from 'node:module';
import { readFileSync } from 'node:fs';
import { SCREENS, until, visit } from '../lib.mjs';
import { fill } from '../scene.mjs';

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
const WIDTHS = [
  { width: 360, height: 740 },
  { width: 1440, height: 900 },
];

export default async function (world) {
  const { alice, bob } = world.people;
  await fill(world.people);
  const [me, his] = [await alice.one('me'), await bob.one('me')];
  const group = (await alice.rows('group'))[0];
  const topic = (await alice.rows('topic'))[0];
  const places = [
    ...SCREENS.map((screen) => `#/${screen}`),
    `#/talk/${encodeURIComponent(`dak:${his.peer_id}`)}`,
    `#/people/${his.peer_id}`,
    '#/people/me',
    `#/groups/${encodeURIComponent(group.address)}`,
    `#/topics/${encodeURIComponent(topic.endpoint)}`,
    '#/search?q=pump',
  ];
  const wrong = [];
  const pictures = process.env.DAK_PAGE_PICTURES;
  for (const viewport of WIDTHS) {
    for (const theme of ['light', 'dark']) {
      const page = await alice.page({ viewport, colorScheme: theme, reducedMotion: 'reduce', hasTouch: viewport.width < 900 });
      for (const place of places) {
        await visit(page, place);
        await until(`${place} is there`, () => page.evaluate(() => !document.querySelector('.waiting') && (document.querySelector('main')?.innerText.length ?? 0) > 10));
        if (pictures) {
          const { mkdirSync } = await import('node:fs');
          mkdirSync(pictures, { recursive: true });
          const name = place.replace(/[^a-z]+/gi, '-').slice(1, 20);
          await page.screenshot({ path: `${pictures}/${viewport.width}-${theme}-${name}.png` });
        }
        // The debugger's way in, which no policy of the page keeps out.
        const session = await page.context().newCDPSession(page);
        await session.send('Runtime.evaluate', { expression: axe });
        await session.detach();
        const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'], runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'best-practice'] }));
        for (const one of found.violations) {
          if (one.impact !== 'serious' && one.impact !== 'critical') continue;
          wrong.push(`${place} ${viewport.width} ${theme}: ${one.id}: ${one.nodes.slice(0, 3).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ''}`).join(' | ')}`);
        }
        const wide = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        if (wide > 0) wrong.push(`${place} ${viewport.width}: ${wide} px too wide`);
      }
      await page.context().close();
    }
  }
  void me;
  if (wrong.length) throw new Error(wrong.join('\n'));
}
