// A picture whose head says that it is 60,000 pixels wide and high, and one that is cut short.
import { crc32, deflateSync } from 'node:zlib';
import { mkdtempSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { holds, until, visit } from '../lib.mjs';

function chunk(kind, bytes) {
  const body = Buffer.concat([Buffer.from(kind), bytes]);
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)];
  length.writeUInt32BE(bytes.length);
  sum.writeUInt32BE(crc(body));
  return Buffer.concat([length, body, sum]);
}

/** As `zlib` has it where it is new enough. */
function crc(bytes) {
  if (crc32) return crc32(bytes);
  let sum = ~0;
  for (const byte of bytes) {
    sum ^= byte;
    for (let bit = 0; bit < 8; bit += 1) sum = (sum >>> 1) ^ (0xedb88320 & -(sum & 1));
  }
  return ~sum >>> 0;
}

function png(width, height, rows) {
  const head = Buffer.alloc(13);
  head.writeUInt32BE(width, 0);
  head.writeUInt32BE(height, 4);
  head.set([8, 2, 0, 0, 0], 8);
  const signature = Buffer.from([0x89, 0x50, 0x4e, 0x47, 13, 10, 26, 10]);
  return Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', deflateSync(rows)), chunk('IEND', Buffer.alloc(0))]);
}

export default async function ({ people: { alice, bob } }) {
  const place = mkdtempSync(join(tmpdir(), 'dak-pictures-'));
  const file = (name, bytes) => {
    writeFileSync(join(place, name), bytes);
    return join(place, name);
  };
  const small = Buffer.concat(Array.from({ length: 8 }, () => Buffer.alloc(25, 120)));
  // A few hundred kB that would come to gigabytes.
  const bomb = file('bomb.png', png(60_000, 60_000, Buffer.alloc(1 << 26)));
  const cut = file('cut.png', png(8, 8, small).subarray(0, 50));
  const none = file('none.png', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg" onload="document.title=1"/>'));
  const good = file('good.png', png(8, 8, small));
  for (const path of [bomb, cut, none, good]) await bob.run('send', 'alice', path.split('/').at(-1), '-f', path);
  await until('all came', async () => (await alice.rows('inbox')).length === 4);
  const page = await alice.page();
  await visit(page, `#/talk/${encodeURIComponent((await bob.one('me')).peer_id.replace(/^/, 'dak:'))}`);
  for (const name of ['bomb.png', 'cut.png', 'none.png', 'good.png']) await page.locator('.message', { hasText: name }).first().waitFor();
  // The page still does what it does.
  await page.locator('.compose textarea').fill('still here');
  await page.locator('.compose textarea').press('Enter');
  await until('it is sent', async () => (await bob.rows('inbox')).some((row) => row.text === 'still here'));
  const drawn = await page.evaluate(() => [...document.querySelectorAll('main img')].map((image) => image.naturalWidth * image.naturalHeight));
  holds(drawn.every((pixels) => pixels < 100_000_000), `no picture takes gigabytes: ${drawn}`);
}
