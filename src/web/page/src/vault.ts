// What this browser keeps beside the node: in its database, each thing sealed with one key. Without a passphrase that key lies
// beside it, and no script reads it out; with one it is nowhere but in the memory of open tabs: see `lock.ts`.

/** What is kept under a name. */
const KEPT = 'kept';
/** What waits to be sent, in its order. */
const OUTBOX = 'outbox';
/** The key itself, where there is no passphrase. */
const KEYS = 'keys';
const STORES = [KEPT, OUTBOX, KEYS] as const;
const DATABASE = 'dak';
/** Where `lock.ts` keeps how the key is sealed; not there without a passphrase. */
export const LOCK = 'dak.lock';
const IV_BYTES = 12;

type Store = (typeof STORES)[number];

export interface Sealed {
  iv: Uint8Array<ArrayBuffer>;
  bytes: ArrayBuffer;
}

/** Whether this browser can seal anything here: it lets pages do so whose way is safe. */
export const canSeal = typeof crypto !== 'undefined' && !!crypto.subtle && typeof indexedDB !== 'undefined';

let opened: Promise<IDBDatabase> | null = null;
/** The key of an open tab with a passphrase; `locked` where there is one and it was not said. */
let key: CryptoKey | 'beside' | 'locked' = 'beside';

/** Nothing is sealed or read before the passphrase was said. */
export class Locked extends Error {}

export function useKey(now: CryptoKey | 'beside' | 'locked'): void {
  key = now;
}

function database(): Promise<IDBDatabase> {
  opened ??= new Promise((resolve, reject) => {
    const asked = indexedDB.open(DATABASE, 1);
    asked.onupgradeneeded = () => {
      for (const name of STORES) asked.result.createObjectStore(name, name === OUTBOX ? { autoIncrement: true } : {});
    };
    asked.onerror = () => reject(asked.error);
    asked.onsuccess = () => {
      const here = asked.result;
      const over = () => {
        here.close();
        opened = null;
      };
      // Another tab erases it all.
      here.onversionchange = over;
      here.onclose = () => (opened = null);
      resolve(here);
    };
  });
  opened.catch(() => (opened = null));
  return opened;
}

/** Does something in one transaction; returns once it is durable. */
async function within<T>(stores: readonly Store[], mode: IDBTransactionMode, doing: (of: (name: Store) => IDBObjectStore) => IDBRequest<T> | void): Promise<T> {
  const here = await database();
  return new Promise((resolve, reject) => {
    const turn = here.transaction(stores, mode, { durability: 'strict' });
    const asked = doing((name) => turn.objectStore(name));
    turn.oncomplete = () => resolve(asked?.result as T);
    turn.onabort = () => reject(turn.error);
  });
}

async function keyNow(): Promise<CryptoKey> {
  // Another tab may have set a passphrase a moment ago.
  if (key === 'locked' || (key === 'beside' && localStorage.getItem(LOCK))) throw new Locked();
  if (key !== 'beside') return key;
  const known = await keyBeside();
  if (known) return known;
  const fresh = await crypto.subtle.generateKey({ name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
  // Another tab may have been first.
  return within<CryptoKey>([KEYS], 'readwrite', (of) => {
    const found = of(KEYS).get(DATABASE);
    found.onsuccess = () => {
      if (!found.result) of(KEYS).put(fresh, DATABASE);
    };
    return found;
  }).then((found) => found ?? fresh);
}

function keyBeside(): Promise<CryptoKey | undefined> {
  return within<CryptoKey | undefined>([KEYS], 'readonly', (of) => of(KEYS).get(DATABASE));
}

/** What is written waits for the end of a change of the key. */
function inTurn<T>(mode: LockMode, doing: () => Promise<T>): Promise<T> {
  return navigator.locks.request('dak-vault', { mode }, doing) as Promise<T>;
}

export async function sealWith(by: CryptoKey, bytes: BufferSource): Promise<Sealed> {
  const iv = crypto.getRandomValues(new Uint8Array(IV_BYTES));
  return { iv, bytes: await crypto.subtle.encrypt({ name: 'AES-GCM', iv }, by, bytes) };
}

/** Throws where it was sealed with another key, or is not what was sealed. */
export function openWith(by: CryptoKey, { iv, bytes }: Sealed): Promise<ArrayBuffer> {
  return crypto.subtle.decrypt({ name: 'AES-GCM', iv }, by, bytes);
}

async function sealed(value: unknown): Promise<Sealed> {
  return sealWith(await keyNow(), new TextEncoder().encode(JSON.stringify(value)));
}

async function read<T>(what: Sealed | undefined): Promise<T | null> {
  if (!what) return null;
  try {
    return JSON.parse(new TextDecoder().decode(await openWith(await keyNow(), what))) as T;
  } catch (error) {
    // What another key sealed is of no use to anybody.
    if (error instanceof Locked) throw error;
    return null;
  }
}

/** Keeps a value under a name. */
export function put(name: string, value: unknown): Promise<void> {
  return inTurn('shared', async () => {
    const ready = await sealed(value);
    await within([KEPT], 'readwrite', (of) => void of(KEPT).put(ready, name));
  });
}

export async function get<T>(name: string): Promise<T | null> {
  return read<T>(await within<Sealed | undefined>([KEPT], 'readonly', (of) => of(KEPT).get(name)));
}

export function forget(...names: string[]): Promise<void> {
  return inTurn('shared', () =>
    within([KEPT], 'readwrite', (of) => {
      for (const name of names) of(KEPT).delete(name);
    }),
  );
}

/** The names of all that is kept. */
export async function names(): Promise<string[]> {
  return (await within<IDBValidKey[]>([KEPT], 'readonly', (of) => of(KEPT).getAllKeys())).map(String);
}

/** Puts something at the end of what waits; returns its number. */
export function queue(value: unknown): Promise<number> {
  return inTurn('shared', async () => {
    const ready = await sealed(value);
    return Number(await within<IDBValidKey>([OUTBOX], 'readwrite', (of) => of(OUTBOX).add(ready)));
  });
}

/** Puts something else in the place of what waits, if it waits still. */
export function requeue(number: number, value: unknown): Promise<void> {
  return inTurn('shared', async () => {
    const ready = await sealed(value);
    await within([OUTBOX], 'readwrite', (of) => {
      const found = of(OUTBOX).getKey(number);
      found.onsuccess = () => {
        if (found.result !== undefined) of(OUTBOX).put(ready, number);
      };
    });
  });
}

export function unqueue(number: number): Promise<void> {
  return inTurn('shared', () => within([OUTBOX], 'readwrite', (of) => void of(OUTBOX).delete(number)));
}

/** What waits, in its order. */
export async function queued<T>(): Promise<[number, T][]> {
  const [numbers, values] = await all(OUTBOX);
  const found: [number, T][] = [];
  for (const [n, value] of values.entries()) {
    const one = await read<T>(value);
    if (one) found.push([Number(numbers[n]), one]);
  }
  return found;
}

async function all(name: Store): Promise<[IDBValidKey[], Sealed[]]> {
  let values: IDBRequest<Sealed[]> | undefined;
  const numbers = await within<IDBValidKey[]>([name], 'readonly', (of) => {
    values = of(name).getAll();
    return of(name).getAllKeys();
  });
  return [numbers, values?.result ?? []];
}

/**
 * Seals all that is kept, whose key lay beside it until now, with one that lies nowhere; `swap` is done in between, when nothing
 * is left to fail but the writing. Where that did not come to its end, the key from before lies beside still, and doing it again
 * goes on.
 */
export function reseal(next: CryptoKey, swap: () => Promise<void> = async () => undefined): Promise<void> {
  return inTurn('exclusive', async () => {
    const before = [key, await keyBeside()].filter((one) => one instanceof CryptoKey);
    const ready: [Store, IDBValidKey, Sealed][] = [];
    for (const name of [KEPT, OUTBOX] as const) {
      const [numbers, values] = await all(name);
      for (const [n, value] of values.entries()) {
        for (const by of before) {
          const plain = await openWith(by, value).catch(() => null);
          if (plain) ready.push([name, numbers[n]!, await sealWith(next, plain)]);
          if (plain) break;
        }
      }
    }
    await swap();
    key = next;
    await within(STORES, 'readwrite', (of) => {
      of(KEYS).clear();
      for (const name of [KEPT, OUTBOX] as const) of(name).clear();
      for (const [name, at, value] of ready) of(name).put(value, at);
    });
  });
}

/** Lays the key beside what it sealed: from then on no passphrase is needed. */
export function layBeside(now: CryptoKey): Promise<void> {
  return inTurn('exclusive', () => within([KEYS], 'readwrite', (of) => void of(KEYS).put(now, DATABASE)));
}

/** Whether a key lies beside what is kept: where a passphrase was set, a tab ended before it was done. */
export async function isHalfSealed(): Promise<boolean> {
  return (await within<number>([KEYS], 'readonly', (of) => of(KEYS).count())) > 0;
}

/** Nothing of it stays. */
export async function erase(): Promise<void> {
  (await opened?.catch(() => null))?.close();
  opened = null;
  key = 'beside';
  if (typeof indexedDB === 'undefined') return;
  await new Promise<void>((resolve) => {
    const asked = indexedDB.deleteDatabase(DATABASE);
    asked.onsuccess = asked.onerror = () => resolve();
  });
}

export function base64(bytes: ArrayBuffer | Uint8Array): string {
  return btoa(String.fromCharCode(...new Uint8Array(bytes)));
}

export function unbase64(text: string): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(atob(text), (c) => c.charCodeAt(0));
}
