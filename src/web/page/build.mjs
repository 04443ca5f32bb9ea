// Writes the page that the program carries, `../built`: the same bytes wherever it runs.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { copyFileSync, mkdirSync, readFileSync, readdirSync, rmSync } from 'node:fs';
import { brotliCompressSync, gzipSync } from 'node:zlib';

/** What all of it may come to, compressed. */
const COMPRESSED_BYTES_MAX = 150_000;

const here = new URL('.', import.meta.url);
const built = new URL('../built/', import.meta.url);
rmSync(built, { recursive: true, force: true });
mkdirSync(built);

await build({
  absWorkingDir: here.pathname,
  entryPoints: { app: 'src/main.tsx' },
  outdir: built.pathname,
  bundle: true,
  minify: true,
  format: 'esm',
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

// The worker knows all other files by their names, and is another one when any of them is.
const files = readdirSync(built).sort();
const digest = createHash('sha256');
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
    FILES: JSON.stringify(['/', ...files.filter((name) => name !== 'index.html').map((name) => `/${name}`)]),
    VERSION: JSON.stringify(digest.digest('hex').slice(0, 16)),
  },
  logLevel: 'warning',
});

let [brotli, gzip] = [0, 0];
for (const name of readdirSync(built).sort()) {
  const bytes = readFileSync(new URL(name, built));
  brotli += brotliCompressSync(bytes).length;
  gzip += gzipSync(bytes, { level: 9 }).length;
  console.log(`${name.padEnd(22)} ${String(bytes.length).padStart(8)} bytes`);
}
console.log(`compressed: ${brotli} bytes by brotli, ${gzip} by gzip, of ${COMPRESSED_BYTES_MAX}`);
if (gzip > COMPRESSED_BYTES_MAX) {
  console.error('the page is too large');
  process.exit(1);
}
