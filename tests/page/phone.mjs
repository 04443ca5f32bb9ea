// A phone in the network of a node: its browser, whether it trusts the node, and how it becomes somebody's.
import { execFile } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { about, equal, field, FLAGS, until } from './lib.mjs';

const run = promisify(execFile);

/** As it comes in a pocket: narrow, touched, and a phone by its own word. */
const LOOKS = {
  viewport: { width: 360, height: 740 },
  deviceScaleFactor: 2,
  isMobile: true,
  hasTouch: true,
  userAgent: 'Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36',
};

export class Phone {
  /** What it stores, and the certificates that its owner installed, lie in its home. */
  constructor(world) {
    this.world = world;
    // The first steps come over a plain connection, where that header means nothing.
    world.known.push(/Cross-Origin-Opener-Policy header has been ignored/);
    this.home = world.place();
    this.address = about.address;
  }

  /** Opens the browser. No certificate is overridden: names of the network mean the node's address, and that is all. */
  async open() {
    this.context = await this.world.lasting(join(this.home, 'browser'), {
      ...LOOKS,
      args: [...FLAGS, `--host-resolver-rules=MAP *.local ${this.address}`],
      env: { ...process.env, HOME: this.home },
    });
    return this.tab();
  }

  async tab() {
    const page = await this.context.newPage();
    this.world.watch(page);
    return page;
  }

  /** A tab whose scripts see a clock that is so far off; what the browser believes of certificates goes by the machine's. */
  async tabWithClock(off) {
    const page = await this.tab();
    await page.addInitScript((off) => {
      const RealDate = Date;
      globalThis.Date = class extends RealDate {
        constructor(...said) {
          if (said.length) super(...said);
          else super(RealDate.now() + off);
        }
        static now() {
          return RealDate.now() + off;
        }
      };
    }, off);
    return page;
  }

  close() {
    return this.context.close();
  }

  /** Installs the authority that the node gives over a plain connection, as the steps there say. */
  async trust(shown) {
    const { port } = new URL(shown.url);
    const answer = await fetch(`http://${this.address}:${port}/ca.crt`);
    equal(answer.status, 200, 'the certificate is there');
    const file = join(this.home, 'ca.crt');
    writeFileSync(file, Buffer.from(await answer.arrayBuffer()));
    // Where browsers look, today and before.
    for (const name of ['.pki/nssdb', '.local/share/pki/nssdb']) {
      const place = join(this.home, name);
      mkdirSync(place, { recursive: true });
      await run('certutil', ['-d', `sql:${place}`, '-N', '--empty-password']);
      await run('certutil', ['-d', `sql:${place}`, '-A', '-t', 'C,,', '-n', 'dak', '-i', file]);
    }
  }

  /** Goes from what the picture shows to the page; `onWarning` is what the owner does where the browser warns. */
  async pair(page, shown, onWarning) {
    await page.goto(shown.url);
    await page.getByText(shown.fingerprint).waitFor();
    if (onWarning) {
      await page.getByRole('link', { name: 'Go on' }).click().catch(() => {});
      await onWarning(page);
    } else await page.getByRole('link', { name: 'Go on' }).click();
    await page.getByText('it reads and writes as the owner').waitFor();
    await page.getByLabel('The code that the node shows').fill(shown.code);
    await page.getByRole('button', { name: 'Make it my phone' }).click();
    await page.locator('.shell').waitFor();
  }
}

/** Writes something and sends it, as thumbs do: there the Enter key begins a line. */
export async function tell(within, text) {
  await field(within).fill(text);
  await within.getByRole('button', { name: 'Send', exact: true }).tap();
}

/** What the browser says in the place of a page that it does not trust; its sign for why. */
export async function warning(page) {
  await until('the browser warns', async () => (await page.locator('#proceed-link, #details-button').count().catch(() => 0)) > 0);
  const said = await page.evaluate(() => document.documentElement.innerText + document.documentElement.innerHTML);
  return /ERR_CERT_\w+/.exec(said)?.[0] ?? said.slice(0, 500);
}

/** Goes on all the same, as the owner of a phone can. */
export async function goOn(page) {
  await page.locator('#details-button').click();
  await page.locator('#proceed-link').click();
}

/** Gives the node's machine another address. */
export async function move(address) {
  await run('ip', ['-n', about.network, '-4', 'addr', 'flush', 'dev', 'cable']);
  await run('ip', ['-n', about.network, 'addr', 'add', `${address}/24`, 'dev', 'cable']);
}
