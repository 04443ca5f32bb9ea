// Stands between the page and its node, and gives the page's own files where the node is out of reach. It touches nothing
// else: what the node answers goes by it, and no answer of the API is ever kept here. Its files are those of one build, which it
// takes to the byte or not at all; a newer build is another worker, which brings its own.

/** What the build puts here: the digests of the page's files by their paths, and that of them all. */
declare const FILES: Record<string, string>;
declare const VERSION: string;

interface Lasting extends Event {
  waitUntil(until: Promise<unknown>): void;
}
interface Fetching extends Event {
  readonly request: Request;
  respondWith(answer: Promise<Response>): void;
}
interface Clicked extends Lasting {
  readonly notification: { close(): void };
}
interface Worker {
  addEventListener(name: 'install' | 'activate', hear: (event: Lasting) => void): void;
  addEventListener(name: 'notificationclick', hear: (event: Clicked) => void): void;
  addEventListener(name: 'fetch', hear: (event: Fetching) => void): void;
  skipWaiting(): Promise<void>;
  readonly clients: {
    claim(): Promise<void>;
    matchAll(which: { type: 'window' }): Promise<{ focus(): Promise<unknown> }[]>;
    openWindow(url: string): Promise<unknown>;
  };
}
const worker = self as unknown as Worker;

const CACHE = `dak-${VERSION}`;

worker.addEventListener('install', (event) => event.waitUntil(take()));
worker.addEventListener('activate', (event) => event.waitUntil(takeOver()));
worker.addEventListener('fetch', (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== 'GET' || url.origin !== location.origin || !Object.hasOwn(FILES, url.pathname)) return;
  event.respondWith(answered(url.pathname, request));
});

worker.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(worker.clients.matchAll({ type: 'window' }).then(([first]) => first?.focus() ?? worker.clients.openWindow('/')));
});

async function take(): Promise<void> {
  const cache = await caches.open(CACHE);
  await cache.addAll(Object.entries(FILES).map(([path, integrity]) => new Request(path, { cache: 'reload', integrity })));
  await worker.skipWaiting();
}

async function takeOver(): Promise<void> {
  for (const name of await caches.keys()) {
    if (name.startsWith('dak-') && name !== CACHE) await caches.delete(name);
  }
  await worker.clients.claim();
}

async function answered(path: string, request: Request): Promise<Response> {
  const cache = await caches.open(CACHE);
  return (await cache.match(path, { ignoreSearch: true, ignoreVary: true })) ?? fetch(request);
}
