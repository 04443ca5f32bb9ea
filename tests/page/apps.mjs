// Small apps in the manner of those that others make, each as its maker's tools would pack it. All know two things that the
// stories ask for: `app.act(who)` does something that all users see, `app.count()` says how much was done, and `app.state()`
// what came of it.
import { container, stored } from './zip.mjs';

const page = (body, head = '') => `<!doctype html><html><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">${head}</head><body>${body}</body></html>`;

/** As a bundler leaves it: modules with hashes in their names, one of them loaded when it is needed, and what it knows kept here. */
const bundled = {
  'index.html': page('<div id="root"></div>', '<script src="webxdc.js"></script><script type="module" crossorigin src="./assets/index-BqX3k9.js"></script><link rel="stylesheet" crossorigin href="./assets/index-D8b4a.css">'),
  'assets/index-D8b4a.css': '#root{color:rebeccapurple}',
  'assets/index-BqX3k9.js': `
    const open = () => new Promise((yes, no) => {
      const wish = indexedDB.open('items', 1);
      wish.onupgradeneeded = () => wish.result.createObjectStore('items');
      wish.onsuccess = () => yes(wish.result);
      wish.onerror = no;
    });
    const done = (wish) => new Promise((yes, no) => { wish.onsuccess = () => yes(wish.result); wish.onerror = no; });
    const db = await open();
    const items = () => db.transaction('items').objectStore('items');
    const opens = Number(localStorage.getItem('opens') ?? 0) + 1;
    localStorage.setItem('opens', opens);
    sessionStorage.setItem('seen', 'yes');
    const { render } = await import('./view-C0ffee.js');
    let last = Number(localStorage.getItem('serial') ?? 0);
    let saving = Promise.resolve();
    await webxdc.setUpdateListener(({ payload, serial }) => {
      db.transaction('items', 'readwrite').objectStore('items').put(payload, payload.id);
      if (serial <= last) throw new Error('a serial went back');
      localStorage.setItem('serial', last = serial);
      saving = saving.then(async () => render(await done(items().getAll())));
    }, last);
    window.app = {
      opens,
      act: (who) => webxdc.sendUpdate({ payload: { id: who + '-' + Math.random(), who }, summary: 'by ' + who }),
      count: async () => (await saving, (await done(items().getAll())).length),
      state: async () => { await saving; return (await done(items().getAll())).map(({ id }) => id).sort().join(); },
    };`,
  'assets/view-C0ffee.js': `export const render = (items) => { document.getElementById('root').replaceChildren(...items.map(({ who }) => Object.assign(document.createElement('p'), { textContent: who }))); };`,
};

const LOG = `
  const log = [];
  window.app = { log, act: (who) => webxdc.sendUpdate({ payload: [location.pathname, who] }), count: () => log.length, state: () => JSON.stringify(log) };
  webxdc.setUpdateListener(({ payload }) => log.push(payload), 0);`;

/** Several pages, in folders, which find the script in all ways that people write; one tells something and leaves at once. */
const folders = {
  'index.html': page('<a id="second" href="pages/second.html">on</a> <a id="blank" href="./pages/second.html" target="_blank">on</a>', `<script src="./webxdc.js"></script><script>${LOG}</script>`),
  'pages/second.html': page('<a href="../index.html#back">back</a> <iframe src="deep/frame.html"></iframe>', `<script src="../webxdc.js"></script><script>${LOG}
    app.leave = (who) => { app.act(who + ' left'); location.href = 'deep/third.html'; };</script>`),
  'pages/deep/third.html': page('<a href="../../index.html">home</a>', `<script src="webxdc.js"></script><script>${LOG}</script>`),
  'pages/deep/frame.html': page('', '<script src="/webxdc.js"></script><script>window.same = webxdc === parent.webxdc;</script>'),
};

/** A drawing: what is drawn later lies above, so that another order is another picture. */
const canvas = {
  'index.html': page('<canvas id="paper" width="120" height="120"></canvas>', '<script src="webxdc.js"></script><script defer src="draw.js"></script>'),
  'draw.js': `
    const paper = document.getElementById('paper').getContext('2d', { willReadFrequently: true });
    const colours = { alice: '#c00', bob: '#00c' };
    let strokes = 0;
    webxdc.setUpdateListener(({ payload: { who, x, y, size } }) => { paper.fillStyle = colours[who] ?? '#080'; paper.fillRect(x, y, size, size); strokes += 1; }, 0);
    const any = (n) => Math.floor(Math.random() * n);
    window.app = {
      act: (who) => webxdc.sendUpdate({ payload: { who: who.split(' ')[0], x: any(40), y: any(40), size: 60 + any(20) } }),
      count: () => strokes,
      state: () => strokes + ' ' + document.getElementById('paper').toDataURL(),
    };`,
};

/** It says as much at once as it may. */
const large = {
  'index.html': page('', '<script src="webxdc.js"></script><script src="large.js"></script>'),
  'large.js': `
    const sums = [];
    const sum = (text) => { let h = 7; for (let i = 0; i < text.length; i++) h = (h * 31 + text.charCodeAt(i)) >>> 0; return h; };
    webxdc.setUpdateListener(({ payload }) => sums.push([payload.who, payload.text.length, sum(payload.text)]), 0);
    window.app = {
      act: (who) => {
        const bare = JSON.stringify({ payload: { who, text: '' } }).length;
        webxdc.sendUpdate({ payload: { who, text: 'x'.repeat(webxdc.sendUpdateMaxSize - bare - 40) + 'ä"\\\\\\u0000\\ud800🎈' } });
      },
      over: () => { try { webxdc.sendUpdate({ payload: 'x'.repeat(webxdc.sendUpdateMaxSize + 1) }); return 'it went'; } catch (error) { return error.name; } },
      count: () => sums.length,
      state: () => JSON.stringify(sums),
    };`,
};

/** Sums by WebAssembly, in the page and in a worker. */
const add = Buffer.from([0, 97, 115, 109, 1, 0, 0, 0, 1, 7, 1, 96, 2, 127, 127, 1, 127, 3, 2, 1, 0, 7, 7, 1, 3, 97, 100, 100, 0, 0, 10, 9, 1, 7, 0, 32, 0, 32, 1, 106, 11]);
const wasm = {
  'index.html': page('', '<script src="webxdc.js"></script><script src="main.js"></script>'),
  'a.wasm': add,
  'worker.js': `onmessage = async ({ data }) => {
    const { instance } = await WebAssembly.instantiateStreaming(fetch('a.wasm'));
    postMessage(data.reduce((sum, n) => instance.exports.add(sum, n), 0));
  };`,
  'main.js': `
    const heard = [];
    const worker = new Worker('worker.js');
    const inWorker = (numbers) => new Promise((yes, no) => { worker.onmessage = ({ data }) => yes(data); worker.onerror = no; worker.postMessage(numbers); });
    const inline = new Worker(URL.createObjectURL(new Blob(['postMessage(self.crossOriginIsolated === undefined ? 0 : 1)'])));
    inline.onmessage = () => (window.app.inline = true);
    webxdc.setUpdateListener(({ payload }) => heard.push(payload.n), 0);
    window.app = {
      act: (who) => webxdc.sendUpdate({ payload: { n: who.length * 1000 + Math.floor(Math.random() * 1000) } }),
      count: () => heard.length,
      state: async () => heard.join() + '=' + (await inWorker(heard)),
    };`,
};

/** It listens late, and a second time in the place of the first; and declares the name of the interface for itself. */
const late = {
  'index.html': page('<script src="webxdc.js"></script><script src="late.js"></script>'),
  'late.js': `
    const webxdc = window.webxdc;
    const [first, second] = [[], []];
    webxdc.extra = 'apps put things there';
    window.app = {
      act: (who) => webxdc.sendUpdate({ payload: who }, 'a description, as it was before'),
      all: async () => (await webxdc.getAllUpdates()).map(({ payload }) => payload),
      count: () => second.length,
      state: () => JSON.stringify(second),
    };
    setTimeout(async () => {
      const one = webxdc.setUpdateListener((update) => first.push(update), 0);
      const two = webxdc.setUpdateListener((update) => { second.push(update.payload); app.isLast = update.serial === update.max_serial; });
      await Promise.all([one, two]);
      app.caughtUp = second.length;
    }, 50);`,
};

/** Files there and back, and ways out. */
const files = {
  'index.html': page(
    `<button id="import">Import</button><button id="share">Share</button><a id="mail" href="mailto:camp@example.org?body=hello">Mail</a>
     <a id="out" href="https://example.org/a?b=%E2%80%AEc">Out</a><a id="odd" href="javascript:void 0">Odd</a><a id="geo" href="geo:48.844,2.395">Here</a><input id="file" type="file">`,
    '<script src="webxdc.js"></script><script defer src="files.js"></script>',
  ),
  'files.js': `
    const heard = [];
    const of = (id) => document.getElementById(id);
    webxdc.setUpdateListener(({ payload }) => heard.push(payload), 0);
    of('import').onclick = async () => {
      const found = await webxdc.importFiles({ extensions: ['.txt'], mimeTypes: ['text/plain'], multiple: true });
      for (const file of found) webxdc.sendUpdate({ payload: { name: file.name, text: await file.text() }, info: 'imported ' + file.name });
    };
    const shared = [{ file: { name: 'a.txt', plainText: 'plain ä' } }, { file: { name: 'b.txt', base64: btoa('base') }, text: 'with words' }, { file: { name: 'c.txt', blob: new Blob([]) } }, { file: new File(['as it is'], 'd.txt') }];
    window.app = {
      said: [],
      act: (who) => webxdc.sendUpdate({ payload: { who } }),
      count: () => heard.length,
      state: () => JSON.stringify(heard),
      save: () => { const a = document.createElement('a'); a.href = URL.createObjectURL(new Blob(['saved'])); a.download = 'out\\u202e/of.txt'; a.click(); URL.revokeObjectURL(a.href); },
    };
    of('share').onclick = () => webxdc.sendToChat(shared.shift() ?? {}).then(() => app.said.push('sent'), (error) => app.said.push(error.message));`,
};

/** Packed by a tool with habits of its own. */
const parts = [
  { name: './' },
  { name: './index.html', level: 9, bytes: page('', '<script src="webxdc.js"></script><script src="js/Main.js"></script>') },
  { name: 'js/' },
  { name: 'js\\Main.js', level: 1, bytes: `
    const heard = [];
    const wanted = ['stored.txt', 'deflated.txt', 'empty.txt', 'gr\\u00fc\\u00dfe/\\u65e5\\u672c.txt', 'with blank & %.txt', 'ab:c.txt', 'a.wasm', 'Case.txt', 'case.txt'];
    const read = async (name) => { const answer = await fetch(name.split('/').map(encodeURIComponent).join('/')); return name + ':' + answer.status + ':' + answer.headers.get('content-type') + ':' + (await answer.text()).length; };
    webxdc.setUpdateListener(({ payload }) => heard.push(payload), 0);
    window.app = { act: (who) => webxdc.sendUpdate({ payload: who }), count: () => heard.length, state: () => JSON.stringify(heard), read: () => Promise.all(wanted.map(read)) };` },
  { name: 'stored.txt', bytes: 'as it is' },
  { name: 'deflated.txt', level: 6, descriptor: true, bytes: 'again '.repeat(500) },
  { name: 'empty.txt', bytes: '' },
  { name: 'gr\u00fc\u00dfe/\u65e5\u672c.txt', level: 6, bytes: 'hello' },
  { name: 'with blank & %.txt', bytes: '1' },
  { name: 'ab:c.txt', bytes: '2' },
  { name: 'a.wasm', level: 6, descriptor: true, large: true, bytes: add },
  { name: 'Case.txt', bytes: 'upper' },
  { name: 'case.txt', bytes: 'lo' },
];

/** What each is called, and its bytes. */
export const APPS = {
  bundled: container(bundled, 9),
  folders: container(folders, 6),
  canvas: container(canvas, 1),
  large: stored(large),
  wasm: container(wasm, 6),
  late: stored(late),
  files: container(files, 6),
  zipped: container(parts, undefined, { large: true, comment: 'packed by hand' }),
};
