// Writes the page that the program carries, `../built`: the same bytes wherever it runs.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** What a first visit may come to, compressed. */
const COMPRESSED_BYTES_MAX = 150_000;

const here = new URL('.', import.meta.url);
const built = new URL('../built/', import.meta.url);
const catalogues = await sameWords();
// The pages that a device gets before it is let in are the node's own, and their words too.
const forPhones = ([key]) => /^(phone\.|times\.(hours|days|years)$)/.test(key);
const phones = Object.entries(catalogues).map(([name, words]) => [name, Object.fromEntries(Object.entries(words).filter(forPhones))]);
writeFileSync(new URL('../lan/words.json', here), `${JSON.stringify(Object.fromEntries(phones), null, 1)}\n`);
rmSync(built, { recursive: true, force: true });
mkdirSync(built);

await build({
  absWorkingDir: here.pathname,
  entryPoints: { app: 'src/main.tsx' },
  outdir: built.pathname,
  bundle: true,
  minify: true,
  format: 'esm',
  splitting: true,
  // A page of before never takes what a newer build calls the same.
  chunkNames: '[name]-[hash]',
  target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
  charset: 'utf8',
  jsx: 'automatic',
  jsxImportSource: 'preact',
  legalComments: 'none',
  banner: { js: '/*! dak. With preact and @preact/signals, (c) 2015-present Jason Miller and (c) 2022-present Preact Team, MIT licence. */' },
  logLevel: 'warning',
});
for (const name of readdirSync(new URL('static/', here)).sort()) {
  copyFileSync(new URL(`static/${name}`, here), new URL(name, built));
}

// The worker knows all other files by their names, and is another one when any of them is, or what browsers are told with them.
const files = readdirSync(built).sort();
const digest = createHash('sha256').update(readFileSync(new URL('../headers.rs', here)));
for (const name of files) digest.update(`${name}\0`).update(readFileSync(new URL(name, built)));
await build({
  absWorkingDir: here.pathname,
  entryPoints: { worker: 'src/worker.ts' },
  outdir: built.pathname,
  bundle: true,
  minify: true,
  format: 'iife',
  target: ['es2022', 'chrome123', 'firefox120', 'safari17.5'],
  charset: 'utf8',
  legalComments: 'none',
  define: {
    // By its path, each file as it has to be: what is fetched while the node changes to another build is not taken for this one.
    FILES: JSON.stringify(Object.fromEntries(files.map((name) => [name === 'index.html' ? '/' : `/${name}`, integrity(name)]))),
    VERSION: JSON.stringify(digest.digest('hex').slice(0, 16)),
  },
  logLevel: 'warning',
});

function integrity(name) {
  return `sha256-${createHash('sha256').update(readFileSync(new URL(name, built))).digest('base64')}`;
}

let [brotli, gzip] = [0, 0];
for (const name of readdirSync(built).sort()) {
  const bytes = readFileSync(new URL(name, built));
  // Words of other languages, and pictures for an app that is installed, come later or never.
  if (!/^(icon-.*\.png|[a-z]{2}-\w+\.js)$/.test(name)) {
    brotli += brotliCompressSync(bytes).length;
    gzip += gzipSync(bytes, { level: 9 }).length;
  }
  console.log(`${name.padEnd(22)} ${String(bytes.length).padStart(8)} bytes`);
}
console.log(`compressed: ${brotli} bytes by brotli, ${gzip} by gzip, of ${COMPRESSED_BYTES_MAX}`);
if (gzip > COMPRESSED_BYTES_MAX) {
  console.error('the page is too large');
  process.exit(1);
}

/** Every language has a text for each key of the English one, of the same form and with the same places; gives them all. */
async function sameWords() {
  const known = async (name) => {
    const { outputFiles } = await build({ absWorkingDir: here.pathname, entryPoints: [`src/words/${name}.ts`], bundle: true, format: 'esm', write: false });
    return (await import(`data:text/javascript;base64,${Buffer.from(outputFiles[0].contents).toString('base64')}`))[name];
  };
  const places = (text) => [...text.matchAll(/\{\w+\}/g)].map(([place]) => place).sort().join();
  const form = (said) => (typeof said === 'string' ? places(said) : `${places(said.one)} ${places(said.other)}`);
  const en = await known('en');
  const all = { en };
  const names = readdirSync(new URL('src/words/', here)).filter((name) => /^[a-z]{2}\.ts$/.test(name) && name !== 'en.ts').sort();
  for (const name of names.map((name) => name.slice(0, -3))) {
    const other = all[name] = await known(name);
    const wrong = [
      ...Object.keys(en).filter((key) => !(key in other) || form(en[key]) !== form(other[key])),
      ...Object.keys(other).filter((key) => !(key in en)),
    ];
    if (wrong.length) throw new Error(`src/words/${name}.ts has no words, or other places, for: ${wrong.join(', ')}`);
  }
  return all;
}
