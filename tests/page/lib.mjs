// People with nodes, and browsers that are let in by them.
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { chromium } from 'playwright-core';

const run = promisify(execFile);
/** What the story is about, as it was told. */
export const about = JSON.parse(process.env.DAK_STORY ?? '{}');

/** How long a story waits for what must happen. */
export const PATIENCE_MS = Number(process.env.DAK_PATIENCE_MS ?? 60_000);

export const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
  '--disable-dev-shm-usage',
];

/** Whom the story is about: what they type, and the browsers that they open. */
export class Person {
  constructor({ name, home }, world) {
    this.name = name;
    this.home = home;
    this.world = world;
  }

  /** Runs a command that must succeed; what it says. */
  async run(...args) {
    const { stdout } = await run(about.dak, [...args, '--home', this.home], { env: bare(), maxBuffer: 1 << 26 });
    return stdout;
  }

  /** The objects of a command's answer. */
  async rows(...args) {
    const said = await this.run(...args, '--json');
    return said.split('\n').filter(Boolean).map((line) => JSON.parse(line));
  }

  async one(...args) {
    return (await this.rows(...args))[0];
  }

  /** Ends the node as a power cut does. */
  async kill() {
    const pid = Number.parseInt(readFileSync(join(this.home, 'node.lock'), 'utf8'));
    process.kill(pid, 'SIGKILL');
    await until(`the node of ${this.name} is gone`, () => {
      try {
        // Who started it may not have taken notice of its end.
        return /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
      } catch {
        return true;
      }
    });
  }

  /** Starts it, to end with the story; where it can be met. */
  async up(...args) {
    const words = ['up', '--name', this.name, '--listen', '/ip4/127.0.0.1/tcp/0', '--no-mdns', '--json', ...args, '--home', this.home];
    const [program, ...before] = about.network ? ['ip', 'netns', 'exec', about.network, about.dak] : [about.dak];
    const node = spawn(program, [...before, ...words], { env: { ...bare(), ...this.clock }, stdio: ['ignore', 'pipe', 'ignore'] });
    this.world.nodes.add(node);
    this.node = node;
    await once(node.stdout, 'data');
    node.stdout.resume();
    const { listen, peer_id } = await this.one('me');
    return `${listen[0]}/p2p/${peer_id}`;
  }

  /** From its next start on the node's clock is so far off, as `+3y`; nothing of how long things take changes. */
  hasClock(off) {
    this.clock = off ? { LD_PRELOAD: about.otherClock, FAKETIME: off, FAKETIME_DONT_FAKE_MONOTONIC: '1', DONT_FAKE_MONOTONIC: '1' } : {};
  }

  /** Stops it, whoever started it. */
  async down() {
    const { node } = this;
    const ended = node && node.exitCode === null ? once(node, 'exit') : null;
    await this.run('down');
    await ended;
    if (node) this.world.nodes.delete(node);
  }

  /** The address by which this one's conversations go. */
  async address() {
    return `dak:${(await this.one('me')).peer_id}`;
  }

  /** A link that lets a browser in, once. */
  async link() {
    const said = await this.run('web', '--print');
    return said.trim().split(/\s+/).at(-1);
  }

  /** A new browser with the page open in it. */
  async page(options = {}) {
    const context = await this.world.browser.newContext({ viewport: { width: 1280, height: 800 }, locale: 'en-GB', ...options });
    context.setDefaultTimeout(PATIENCE_MS);
    // Whoever works on the page looks at what was built last, without a new program.
    const built = process.env.DAK_PAGE_BUILT;
    if (built) await context.route(/^https?:\/\/dak-[^/]*\/(app|[a-z]{2}-\w+)\.(js|css)$/, (route) => {
      const path = join(built, new URL(route.request().url()).pathname);
      return existsSync(path) ? route.fulfill({ path }) : route.continue();
    });
    if (options.before) await context.addInitScript(options.before);
    const page = await context.newPage();
    this.world.watch(page);
    const link = await this.link();
    const query = options.query ? `/?${options.query}` : '/';
    await page.goto(link.replace('/#', `${query}#`));
    await page.locator('.shell').waitFor();
    return page;
  }
}

/** What commands see of the environment: nothing that is meant for stories. */
function bare() {
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('DAK_')));
}

class World {
  constructor(browser) {
    this.browser = browser;
    this.people = Object.fromEntries((about.people ?? []).map((one) => [one.name, new Person(one, this)]));
    /** What went wrong in pages, by their own word. */
    this.wrong = [];
    /** What a story's pages may say all the same. */
    this.known = [];
    this.pages = new Set();
    /** Nodes that the story started anew, browsers of its own, and their directories. */
    this.nodes = new Set();
    this.contexts = new Set();
    this.places = new Set();
  }

  /** Hears of what a page's scripts, its policy and its requests fail at. */
  watch(page, isOurs = true) {
    this.pages.add(page);
    if (!isOurs) return;
    page.on('pageerror', (error) => this.wrong.push(`error: ${error.stack ?? error}`));
    page.on('console', (message) => {
      // A request that is refused shows up here as well; stories that are about refusals say so. Of the policy of shared apps
      // this browser does not know one directive, and has another header for the same.
      const known = /Failed to load resource|Unrecognized Content-Security-Policy directive 'webrtc'/;
      if (message.type() === 'error' && !known.test(message.text()) && !this.known.some((known) => known.test(message.text()))) this.wrong.push(`console: ${message.text()}`);
    });
    page.on('dialog', (dialog) => {
      this.wrong.push(`a dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
  }

  /** A browser that keeps what it stores in a directory, also after its end; one at a time in the same. */
  async lasting(place, options = {}) {
    const context = await chromium.launchPersistentContext(place, {
      executablePath: about.browser,
      args: FLAGS,
      headless: true,
      viewport: { width: 1280, height: 800 },
      locale: 'en-GB',
      ...options,
    });
    context.setDefaultTimeout(PATIENCE_MS);
    this.contexts.add(context);
    return context;
  }

  /** A directory that is gone after the story. */
  place() {
    const place = mkdtempSync(join(tmpdir(), 'dak-story-'));
    this.places.add(place);
    return place;
  }

  check() {
    if (this.wrong.length) throw new Error(`pages said:\n${this.wrong.join('\n')}`);
  }

  /** Pictures of all pages, for who looks why a story failed. */
  async leaveBehind(name) {
    const place = process.env.DAK_PAGE_PICTURES;
    for (const said of this.wrong) console.error(said);
    let n = 0;
    for (const page of this.pages) {
      if (page.isClosed()) continue;
      console.error(`page ${n} at ${page.url().replace(/open=\S+/, 'open=…')}`);
      console.error((await page.locator('body').innerText().catch(() => '')).slice(0, 1500));
      if (place) {
        mkdirSync(place, { recursive: true });
        await page.screenshot({ path: `${place}/${name}-${n}.png` }).catch(() => {});
      }
      n += 1;
    }
  }

  async end() {
    await this.browser.close().catch(() => {});
    for (const context of this.contexts) await context.close().catch(() => {});
    for (const node of this.nodes) node.kill('SIGKILL');
    for (const place of this.places) rmSync(place, { recursive: true, force: true });
  }
}

/** Begins a story; `flags` are what it wants of the browser beside the usual. */
export async function begin(flags = []) {
  const browser = await chromium.launch({ executablePath: about.browser, args: [...FLAGS, ...flags], headless: true });
  return new World(browser);
}

/** The files below a directory that have a text in them, as bytes of any encoding that browsers write. */
export function filesWith(place, text) {
  const forms = [Buffer.from(text), Buffer.from(text, 'utf16le')];
  const found = [];
  for (const name of readdirSync(place, { recursive: true })) {
    const path = join(place, name);
    if (!statSync(path).isFile()) continue;
    const bytes = readFileSync(path);
    if (forms.some((form) => bytes.includes(form))) found.push(name);
  }
  return found;
}

/** Looks until it is so. */
export async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const seen = await look();
    if (seen) return seen;
    if (Date.now() > end) throw new Error(`it never came to this: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

export function equal(seen, wanted, what) {
  const [a, b] = [JSON.stringify(seen), JSON.stringify(wanted)];
  if (a !== b) throw new Error(`${what}: ${a} is not ${b}`);
}

export function holds(is, what) {
  if (!is) throw new Error(what);
}

/** Goes to a screen of an open page. */
export async function visit(page, hash) {
  await page.evaluate((hash) => (location.hash = hash), hash);
}

/** Opens a conversation by the address of whom it is with. */
export const talkWith = (page, address) => visit(page, `#/talk/${encodeURIComponent(address)}`);

/** The conversation itself, beside which a thread may be open. */
export const talk = (page) => page.locator('.talk:not(.thread-pane)');

/** Where one writes. */
export const field = (within) => within.locator('.compose textarea');

/** A message by a part of its own words, and not of those that it answers. */
export function said(within, text) {
  const page = typeof within.page === 'function' ? within.page() : within;
  return within.locator('article.message').filter({ has: page.locator('.prose, .instead', { hasText: text }) });
}

/** Writes something and sends it. */
export async function write(within, text) {
  await field(within).fill(text);
  await field(within).press('Enter');
}

/** Chooses something of a message's menu. */
export async function choose(page, message, item) {
  await message.getByRole('button', { name: 'More', exact: true }).click();
  await page.getByRole('menuitem', { name: item, exact: true }).click();
}

/** A command on a terminal of its own, which `script` makes. */
export function onTerminal(person, ...args) {
  const words = [about.dak, ...args, '--home', person.home].map((word) => `'${word}'`).join(' ');
  const env = { ...bare(), TERM: 'xterm-256color', NO_COLOR: '1' };
  const script = spawn('script', ['-q', '-e', '-c', `stty rows 30 cols 100; exec ${words}`, '/dev/null'], { env, stdio: ['pipe', 'pipe', 'ignore'] });
  let written = '';
  script.stdout.on('data', (some) => (written += some));
  return {
    /** Waits until this was written, wherever on the screen. */
    shows: (what) => until(`the terminal shows ${what}`, () => what.test(written)),
    types: (keys) => script.stdin.write(keys),
    isThere: () => script.exitCode === null,
    end: () => script.kill(),
  };
}

/** Asks the node as the page does. */
export function asked(page, method, path, body) {
  return page.evaluate(
    async ([method, path, body]) => {
      const headers = { 'dak-page': localStorage.getItem('dak.page'), accept: 'application/json', ...(body ? { 'content-type': 'application/json' } : {}) };
      const answer = await fetch(path, { method, headers, ...(body ? { body: JSON.stringify(body) } : {}) });
      if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
      return answer.json();
    },
    [method, path, body],
  );
}

/** All screens, as the navigation names them. */
export const SCREENS = ['talk', 'search', 'map', 'tasks', 'people', 'groups', 'topics', 'files', 'settings'];

/** The frame of the app that a page has open, once it runs. */
export async function running(page, of = () => window.app) {
  const element = await page.waitForSelector('iframe.app-frame');
  const frame = await element.contentFrame();
  await frame.waitForFunction(of);
  return frame;
}

/** Opens an app, by the message that has it. */
export async function start(page, id, of) {
  await visit(page, '#/app');
  await visit(page, `#/app/${id}`);
  return running(page, of);
}

/** In the page: whether something is kept in the browser under a name. */
export function kept(name) {
  return new Promise((resolve) => {
    const asked = indexedDB.open('dak');
    asked.onsuccess = () => {
      const db = asked.result;
      const names = db.objectStoreNames.contains('kept') ? db.transaction('kept').objectStore('kept').getAllKeys() : null;
      const done = () => {
        db.close();
        resolve((names?.result ?? []).includes(name));
      };
      if (names) names.onsuccess = done;
      else done();
    };
  });
}

/** In the page: the answer to the first message that is sent is lost on its way; counts how many were sent. */
export function loseAnAnswer() {
  const reached = window.fetch;
  window.sent = 0;
  window.fetch = async (path, how) => {
    const answer = await reached(path, how);
    if (path === '/v1/send' && window.sent++ === 0) throw new TypeError('the answer is lost');
    return answer;
  };
}
