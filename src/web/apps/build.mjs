// Writes the apps that come with the program, `built/*.xdc`: the same bytes wherever it runs.
import { buildSync } from 'esbuild';
import { zipSync, zlibSync } from 'fflate';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';

const here = new URL('.', import.meta.url);
const built = new URL('built/', here);
/** The first moment that a zip knows, by whatever clock. */
const mtime = new Date(1980, 0, 1);

rmSync(built, { recursive: true, force: true });
mkdirSync(built);

const apps = {
  checklist: { name: 'Checklist', draws: (x, y) => tick(x, y + 22) || tick(x, y - 22) || bar(x, y + 22) || bar(x, y - 22) },
  poll: { name: 'Poll', draws: (x, y) => column(x, y, -30, 26) || column(x, y, 0, 54) || column(x, y, 30, 40) },
  text: { name: 'Shared text', draws: (x, y) => [-26, -6, 14, 34].some((at, n) => Math.abs(y - at + 4) < 5 && x > -36 && x < (n === 3 ? 6 : 36)) },
};

for (const [app, { name, draws }] of Object.entries(apps)) {
  const read = (file) => readFileSync(new URL(file, here), 'utf8');
  const script = buildSync({
    absWorkingDir: here.pathname,
    entryPoints: [`${app}/app.js`],
    bundle: true,
    minify: true,
    write: false,
    format: 'iife',
    target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
    charset: 'utf8',
    legalComments: 'none',
    banner: app === 'text' ? { js: '/*! With yjs and lib0, (c) Kevin Jahns and others, MIT licence. */' } : {},
  }).outputFiles[0].text;
  const files = {
    'index.html': read(`${app}/index.html`),
    'style.css': read('style.css') + read(`${app}/app.css`),
    'app.js': script,
    'manifest.toml': `name = ${JSON.stringify(name)}\n`,
    'icon.png': png(draws),
  };
  const zip = {};
  for (const [file, bytes] of Object.entries(files)) zip[file] = [typeof bytes === 'string' ? new TextEncoder().encode(bytes) : bytes, { mtime, os: 3, level: file.endsWith('.png') ? 0 : 9 }];
  const packed = zipSync(zip);
  writeFileSync(new URL(`${app}.xdc`, built), packed);
  console.log(`${app}.xdc`.padEnd(16), packed.length, 'bytes');
}

function bar(x, y) {
  return Math.abs(y) < 5 && x > -8 && x < 40;
}

function tick(x, y) {
  const near = (ax, ay, bx, by) => {
    const part = Math.max(0, Math.min(1, ((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / ((bx - ax) ** 2 + (by - ay) ** 2)));
    return Math.hypot(x - ax - part * (bx - ax), y - ay - part * (by - ay)) < 4.5;
  };
  return near(-38, 0, -30, 9) || near(-30, 9, -17, -10);
}

function column(x, y, at, high) {
  return Math.abs(x - at) < 9 && y < 32 && y > 32 - high;
}

/** An icon of 128 pixels each way: what is drawn in white upon one colour, its edges smoothed. */
function png(draws) {
  const size = 128;
  const rows = new Uint8Array(size * (size * 3 + 1));
  for (let y = 0; y < size; y++) {
    for (let x = 0; x < size; x++) {
      let hits = 0;
      for (let dy = 0; dy < 4; dy++) for (let dx = 0; dx < 4; dx++) if (draws(x + (dx + 0.5) / 4 - size / 2, y + (dy + 0.5) / 4 - size / 2)) hits++;
      [14, 102, 85].forEach((colour, n) => (rows[y * (size * 3 + 1) + 1 + x * 3 + n] = Math.round(colour + ((255 - colour) * hits) / 16)));
    }
  }
  const chunk = (kind, bytes) => {
    const out = new Uint8Array(12 + bytes.length);
    const view = new DataView(out.buffer);
    view.setUint32(0, bytes.length);
    out.set([...kind].map((c) => c.charCodeAt(0)), 4);
    out.set(bytes, 8);
    view.setUint32(8 + bytes.length, crc(out.subarray(4, 8 + bytes.length)));
    return out;
  };
  const head = new Uint8Array(13);
  new DataView(head.buffer).setUint32(0, size);
  new DataView(head.buffer).setUint32(4, size);
  head.set([8, 2], 8);
  return Uint8Array.from([137, 80, 78, 71, 13, 10, 26, 10, ...chunk('IHDR', head), ...chunk('IDAT', zlibSync(rows, { level: 9 })), ...chunk('IEND', new Uint8Array())]);
}

function crc(bytes) {
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let n = 0; n < 8; n++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}
