// Figures of the page, at the real door of a real node with so many messages on record:
//
//   DAK_BROWSER=/usr/bin/chromium node tests/page/figures.mjs [--dak target/release/dak] [--messages 100000] [--slow 6] [--json]
//
// What is said of times is the middle of several; `slow` is with a processor that does so many times less in the browser.
import { generateKeyPairSync } from 'node:crypto';
import { createWriteStream, mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { request } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const given = process.argv.slice(2);
const option = (name, usual) => (given.includes(`--${name}`) ? given[given.indexOf(`--${name}`) + 1] : usual);
const root = join(dirname(fileURLToPath(import.meta.url)), '../..');
const dak = option('dak', join(root, 'target/release/dak'));
const messages = Number(option('messages', 100_000));
const slow = Number(option('slow', 6));
const isJson = given.includes('--json');
/** Loads, conversations and messages that the middle is taken of. */
const [LOADS, OPENINGS, PINGS, CLIENTS, WRITERS] = [5, 9, 50, 10, 12];

statSync(dak);
const place = mkdtempSync(join(tmpdir(), 'dak-page-figures-'));
const people = ['alice', 'bob'].map((name) => ({ name, home: join(place, name) }));
process.env.DAK_STORY = JSON.stringify({ dak, browser: process.env.DAK_BROWSER ?? '/usr/bin/chromium', people });
const { begin, holds, talkWith, until } = await import('./lib.mjs');

const middle = (all) => [...all].sort((a, b) => a - b)[Math.floor(all.length / 2)];
const rows = [];
function report(name, value, unit, limit, limitIs = '') {
  const ratio = limit ? value / limit : null;
  rows.push({ schema: 1, name, value, unit, limit: limit ?? null, ratio, limit_is: limitIs });
  if (isJson) return console.log(JSON.stringify(rows.at(-1)));
  const shown = (n) => (n === null || n === undefined ? '' : n >= 100 ? n.toFixed(0) : n >= 1 ? n.toFixed(2) : n.toFixed(4));
  console.log(`${name.padEnd(26)} ${shown(value).padStart(12)} ${unit.padEnd(14)} ${shown(limit).padStart(9)} ${shown(ratio).padStart(7)}  ${limitIs}`.trimEnd());
}

const world = await begin();
try {
  const { alice, bob } = world.people;
  await alice.up();
  const me = await alice.one('me');
  await bob.up('--peer', me.listen[0]);
  await alice.run('contact', 'add', 'bob', (await bob.one('me')).address);
  await bob.run('contact', 'add', 'alice', me.address);
  await fill(alice, bob);
  // What taking so much in left in memory is no part of what clients cost.
  await alice.down();
  await alice.up();
  const { pid } = alice.node;

  // What goes over the wire.
  const link = await alice.link();
  const door = new URL(link);
  let bytes = 0;
  for (const path of ['/', '/app.js', '/app.css', '/icon.svg', '/manifest.webmanifest']) bytes += (await get(door, path, { 'accept-encoding': 'gzip' })).length;
  report('page_gzip', bytes / 1000, 'kB', 150, 'goal, all files, as the door gives them');

  // Loading and opening, as it is and with less of a processor.
  for (const [times, name] of [[1, ''], [slow, `_slow_${slow}x`]]) {
    const loads = [];
    for (let n = 0; n < LOADS; n += 1) loads.push(await load(alice, times));
    report(`ready${name}`, middle(loads) / 1000, 's', 1, 'goal: the first load, until conversations are drawn');
    const page = await alice.page();
    await throttle(page, times);
    const opened = [];
    const listed = page.locator('.talk-item:not(.silent) a.talk-row');
    await listed.first().waitFor();
    const all = await listed.evaluateAll((links) => links.map((link) => link.getAttribute('href')));
    for (let n = 0; n < OPENINGS; n += 1) opened.push(await open(page, all[n % all.length]));
    report(`open_talk${name}`, middle(opened) / 1000, 's', 1, 'goal: until its messages are drawn');
    await page.context().close();
  }

  // What those cost the node who look.
  const before = rss(pid);
  const streams = [];
  for (let n = 0; n < CLIENTS; n += 1) streams.push(await follow(await alice.link()));
  await new Promise((resolve) => setTimeout(resolve, 2000));
  report('rss_ten_clients', rss(pid) / 1024, 'MiB');
  report('rss_more_for_ten_clients', (rss(pid) - before) / 1024, 'MiB');
  streams.forEach((stream) => stream.destroy());

  // From what the node writes down to what is seen.
  const page = await alice.page();
  await talkWith(page, await bob.address());
  await page.locator('article.message').first().waitFor();
  await page.evaluate(() => {
    window.cameAt = {};
    new MutationObserver(() => {
      for (const message of document.querySelectorAll('.talk article.message')) {
        const text = message.querySelector('.prose')?.textContent?.trim() ?? '';
        if (text.startsWith('ping ')) window.cameAt[text] ??= Date.now();
      }
    }).observe(document.body, { childList: true, subtree: true, characterData: true });
  });
  for (let n = 0; n < PINGS; n += 1) {
    await bob.run('send', 'alice', `ping ${n}`);
    await until(`ping ${n} is seen`, () => page.evaluate((text) => text in window.cameAt, `ping ${n}`));
  }
  const cameAt = await page.evaluate(() => window.cameAt);
  const happened = await page.evaluate(async (many) => {
    const headers = { 'dak-page': localStorage.getItem('dak.page'), accept: 'application/x-ndjson' };
    const ended = new AbortController();
    const answer = await fetch('/v1/events?since=0', { headers, signal: ended.signal }).catch(() => null);
    const found = [];
    if (!answer?.body) return found;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let rest = '';
    while (found.length < many) {
      const { done, value } = await reader.read();
      if (done) break;
      const lines = (rest + value).split('\n');
      rest = lines.pop();
      for (const line of lines) {
        const row = line ? JSON.parse(line) : {};
        if (row.what === 'message' && row.text?.startsWith('ping ')) found.push([row.text, row.at]);
      }
    }
    ended.abort();
    return found;
  }, PINGS);
  const waits = happened.map(([text, at]) => cameAt[text] - Date.parse(at)).filter(Number.isFinite);
  holds(waits.length === PINGS, `of ${PINGS} messages ${waits.length} were seen`);
  report('event_to_screen_p50', middle(waits), 'ms');
  await page.context().close();
} finally {
  await world.end();
  rmSync(place, { recursive: true, force: true });
}

/** Has Alice's record hold so many messages of a dozen writers and of herself: an export that was made up, taken in. */
async function fill(alice, bob) {
  const words = 'w'.repeat(200);
  await bob.run('send', 'alice', words);
  await until('it came', async () => (await alice.rows('inbox')).length === 1);
  const row = JSON.parse((await alice.run('export', '--all', '--format', 'jsonl')).trim().split('\n').at(-1));
  const hex = Buffer.from(words).toString('hex');
  holds(row.content?.includes(hex), 'the words are in what is exported');
  const writers = Array.from({ length: WRITERS }, peer);
  const path = join(dirname(alice.home), 'export.jsonl');
  const file = createWriteStream(path);
  const start = Date.now() - messages * 60_000;
  const at = (n) => new Date(start + n * 60_000).toISOString();
  for (let n = 0; n < messages; n += 1) {
    const text = `${n} ${['pump', 'camp', 'river', 'bridge', 'water', 'radio', 'road', 'boat'].map((word, m) => (((n >> m) & 1) + m) % 2 ? word : word.toUpperCase()).join(' ')} `.repeat(5).slice(0, 200).padEnd(200, '.');
    const from = n % 3 ? `dak:${writers[n % WRITERS]}` : row.from.address ?? row.from;
    const id = n.toString(16).padStart(16, '0').repeat(4);
    const line = { ...row, id, content: row.content.replace(hex, Buffer.from(text).toString('hex')), sent_at: at(n), received_at: at(n), sequence: n, read: true };
    if (typeof row.from === 'object') line.from = { ...row.from, address: from, name: null };
    else line.from = from;
    if (!file.write(JSON.stringify(line) + '\n')) await new Promise((resolve) => file.once('drain', resolve));
  }
  await new Promise((resolve) => file.end(resolve));
  await alice.run('import', path);
}

/** The id of a writer whom nobody knows: a key, as peer ids have it. */
function peer() {
  const { x } = generateKeyPairSync('ed25519').publicKey.export({ format: 'jwk' });
  const bytes = Buffer.concat([Buffer.from('002408011220', 'hex'), Buffer.from(x, 'base64url')]);
  const digits = '123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz';
  let [number, text] = [BigInt(`0x${bytes.toString('hex')}`), ''];
  for (; number > 0n; number /= 58n) text = digits[Number(number % 58n)] + text;
  return `1${text}`;
}

/** Until the list of conversations is drawn, in a browser that was never here before. */
async function load(alice, times) {
  const link = await alice.link();
  const context = await world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB' });
  const page = await context.newPage();
  await throttle(page, times);
  await page.addInitScript(() => {
    const look = () => {
      if (window.drawnAt || !document.querySelector('.talk-item:not(.silent)')) return;
      requestAnimationFrame(() => setTimeout(() => (window.drawnAt ??= performance.now())));
    };
    new MutationObserver(look).observe(document, { childList: true, subtree: true });
  });
  await page.goto(link);
  const took = await page.waitForFunction(() => window.drawnAt, null, { timeout: 120_000 }).then((handle) => handle.jsonValue());
  await context.close();
  return took;
}

/** Opens a conversation by its link; how long until its messages are drawn. */
function open(page, href) {
  return page.evaluate(
    (href) =>
      new Promise((resolve) => {
        location.hash = '#/people';
        setTimeout(() => {
          const start = performance.now();
          const watch = new MutationObserver(() => {
            if (!document.querySelector('.talk article.message')) return;
            watch.disconnect();
            requestAnimationFrame(() => setTimeout(() => resolve(performance.now() - start)));
          });
          watch.observe(document.body, { childList: true, subtree: true });
          location.hash = href;
        }, 700);
      }),
    href,
  );
}

async function throttle(page, times) {
  if (times <= 1) return;
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate: times });
}

function get(door, path, headers, method = 'GET', body = undefined) {
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: door.port, path, method, headers: { host: door.host, ...headers } }, (answer) => {
      const parts = [];
      answer.on('data', (part) => parts.push(part));
      answer.on('end', () => resolve(Object.assign(Buffer.concat(parts), { headers: answer.headers, status: answer.statusCode })));
    });
    asked.on('error', reject);
    asked.end(body);
  });
}

/** A client that was let in and listens to what happens. */
async function follow(link) {
  const door = new URL(link);
  const open = door.hash.replace('#open=', '');
  const same = { origin: door.origin, 'sec-fetch-site': 'same-origin', 'content-type': 'application/json' };
  const answer = await get(door, '/web/session', same, 'POST', JSON.stringify({ open }));
  holds(answer.status === 200, `a session: ${answer.status} ${answer}`);
  const cookie = answer.headers['set-cookie'][0].split(';')[0];
  const headers = { host: door.host, cookie, 'dak-page': JSON.parse(answer.toString()).page, accept: 'text/event-stream', 'sec-fetch-site': 'same-origin' };
  return new Promise((resolve, reject) => {
    const asked = request({ host: '127.0.0.1', port: door.port, path: '/v1/events?beside=true', headers }, (answer) => {
      answer.on('data', () => {});
      answer.on('error', () => {});
      resolve(asked);
    });
    asked.on('error', reject);
    asked.end();
  });
}

/** In kB, as the system counts it. */
function rss(pid) {
  return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}
