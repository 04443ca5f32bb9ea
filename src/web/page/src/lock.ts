// The lock: a passphrase, without which nothing that this browser keeps can be read, its way to the node included. It is asked
// for when the page is opened, after some time in which nobody did anything in any tab, and when somebody locks it.
//
// ```text
// passphrase ─ PBKDF2 ─▶ seals the key ─▶ seals the secret half of the session, and all that `vault.ts` keeps
// ```
// Tabs tell each other the key while they are open, and lock together. The session is another one from the moment in which a
// passphrase is set, for what a browser wrote to its disk before may lie there for long.
import { signal } from '@preact/signals';
import { base64, canSeal, erase, isHalfSealed, layBeside, LOCK, openWith, reseal, sealWith, unbase64, useKey, type Sealed } from './vault';

const SECRET = 'dak.page';
const TRIES = 'dak.tries';
/** What is kept for the reader, and says nothing of anybody. */
const HARMLESS = ['dak.theme', 'dak.notify', 'dak.enter-sends', 'dak.language'];
/** So often a passphrase is hashed: a guess takes as long as that. */
const ROUNDS = 600_000;
const KEY_BYTES = 32;
/** Shortest passphrase, in characters. */
export const PASSPHRASE_MIN = 8;
/** After so many minutes without anything done the page locks itself. */
export const IDLE_MINUTES = [1, 5, 15, 60] as const;
const IDLE_USUAL = 15;
/** So many wrong passphrases cost nothing. */
const FREE_TRIES = 2;
const PAUSE_MS_MAX = 300_000;
/** Tabs tell each other at most so often that somebody is here. */
const TELL_MS = 1_000;
const LOOK_MS = 5_000;
/** How long what was written may take to reach the node before the page is locked. */
const LAST_WORDS_MS = 1_500;

/** How the key is sealed. */
interface Kept {
  salt: string;
  rounds: number;
  key: Packed;
  secret: Packed;
  idle: number;
}

type Packed = [iv: string, bytes: string];

/** What tabs tell each other. */
type Told =
  | { what: 'asks' }
  | { what: 'opened'; key: CryptoKey; secret: string }
  | { what: 'locked' }
  | { what: 'unset' }
  | { what: 'erased' }
  | { what: 'active'; at: number };

/** `none` where no passphrase is set. */
export const lock = signal<'none' | 'open' | 'locked'>(localStorage.getItem(LOCK) ? 'locked' : 'none');
/** After how many minutes it locks itself. */
export const idleMinutes = signal<number>(IDLE_USUAL);
/** Whether a passphrase can be set in this browser. */
export const canLock = canSeal;

let secret: string | null = null;
let key: CryptoKey | null = null;
let active = Date.now();
let told = 0;
let requests = new AbortController();
const tabs = new BroadcastChannel('dak-lock');
const resets = new Set<() => void>();
const lastWords = new Set<() => Promise<unknown>>();

/** What holds something of the node's forgets it when the page is locked, or shown out. */
export function onLocked(reset: () => void): void {
  resets.add(reset);
}

/** What is on its way when the page is locked may still arrive, for a moment. */
export function beforeLocked(ends: () => Promise<unknown>): void {
  lastWords.add(ends);
}

/** The secret half of the session. */
export function secretHalf(): string | null {
  return lock.value === 'none' ? localStorage.getItem(SECRET) : secret;
}

/** Ends with what may be asked of the node now. */
export function whileOpen(): AbortSignal {
  return requests.signal;
}

/** Returns once the page may ask. */
export function isOpen(): Promise<void> {
  return new Promise((resolve) => {
    const end = lock.subscribe((state) => {
      if (state === 'locked') return;
      queueMicrotask(() => end());
      resolve();
    });
  });
}

/** Another half is the session's from now on. */
export async function keepSecret(now: string): Promise<void> {
  if (lock.value === 'none') return localStorage.setItem(SECRET, now);
  const kept = keptNow();
  if (!key || !kept) throw new Error('locked');
  secret = now;
  localStorage.setItem(LOCK, JSON.stringify({ ...kept, secret: await packed(key, now) } satisfies Kept));
  tabs.postMessage({ what: 'opened', key, secret } satisfies Told);
}

/** Begins to look whether anybody is here, and to hear of other tabs. */
export function beginLock(): void {
  useKey(lock.value === 'none' ? 'beside' : 'locked');
  idleMinutes.value = keptNow()?.idle ?? IDLE_USUAL;
  tabs.onmessage = ({ data }) => heard(data as Told);
  for (const event of ['pointerdown', 'pointermove', 'keydown', 'wheel', 'touchstart', 'scroll'] as const) {
    addEventListener(event, noteActive, { passive: true, capture: true });
  }
  for (const event of ['focus', 'pageshow'] as const) addEventListener(event, lookIdle);
  document.addEventListener('visibilitychange', lookIdle);
  addEventListener('storage', ({ key }) => {
    if (key === LOCK) idleMinutes.value = keptNow()?.idle ?? IDLE_USUAL;
  });
  // A machine that slept counts no timers; the clock says how long it was.
  setInterval(lookIdle, LOOK_MS);
  if (lock.value === 'locked') tabs.postMessage({ what: 'asks' } satisfies Told);
}

function noteActive(): void {
  if (lock.value !== 'open' || isIdle()) return lookIdle();
  beActive();
}

function beActive(): void {
  active = Date.now();
  if (active - told < TELL_MS) return;
  told = active;
  tabs.postMessage({ what: 'active', at: active } satisfies Told);
}

function isIdle(): boolean {
  // A clock that was set back.
  active = Math.min(active, Date.now());
  const isPlaying = [...document.querySelectorAll<HTMLMediaElement>('audio, video')].some((one) => !one.paused && !one.ended);
  if (isPlaying || document.querySelector('.recorder-time.on')) beActive();
  if (Date.now() - active >= idleMinutes.value * 60_000) return true;
  // What is done in the frame of an app reaches no listener here, but counts as done in this window.
  if (navigator.userActivation?.isActive) beActive();
  return false;
}

function lookIdle(): void {
  if (lock.value === 'open' && isIdle()) void lockNow();
}

function heard(said: Told): void {
  switch (said.what) {
    case 'asks':
      lookIdle();
      if (lock.value === 'open' && key && secret) tabs.postMessage({ what: 'opened', key, secret } satisfies Told);
      break;
    case 'opened':
      if (lock.value === 'locked') active = Date.now();
      opened(said.key, said.secret);
      break;
    case 'locked':
      if (lock.value === 'open') void lockNow('here');
      break;
    case 'unset':
      unlockedForGood();
      break;
    case 'erased':
      forgetAll();
      lock.value = 'none';
      break;
    case 'active':
      active = Math.max(active, Math.min(said.at, Date.now()));
  }
}

function opened(by: CryptoKey, half: string): void {
  [key, secret] = [by, half];
  useKey(by);
  idleMinutes.value = keptNow()?.idle ?? IDLE_USUAL;
  lock.value = 'open';
}

function unlockedForGood(): void {
  [key, secret] = [null, null];
  useKey('beside');
  lock.value = 'none';
}

/** Locks this tab, and all others with it. */
export async function lockNow(where: 'here' | 'everywhere' = 'everywhere'): Promise<void> {
  if (lock.value !== 'open') return;
  lock.value = 'locked';
  if (where === 'everywhere') tabs.postMessage({ what: 'locked' } satisfies Told);
  // The screens are gone by the next turn, and say their last words.
  await new Promise((resolve) => setTimeout(resolve, 0));
  const words = Promise.allSettled([...lastWords].map((ends) => ends()));
  await Promise.race([words, new Promise((resolve) => setTimeout(resolve, LAST_WORDS_MS))]);
  // Another tab may have been opened with the passphrase meanwhile.
  if (lock.value === 'locked') forgetAll();
}

function forgetAll(): void {
  [key, secret] = [null, null];
  useKey(localStorage.getItem(LOCK) ? 'locked' : 'beside');
  requests.abort();
  requests = new AbortController();
  for (const reset of resets) reset();
}

/** How long the next passphrase has to wait, in milliseconds. */
export function pauseMs(): number {
  const { until } = tries();
  // A clock that was set back makes it no longer than it was.
  return Math.max(0, Math.min(until - Date.now(), PAUSE_MS_MAX));
}

function tries(): { wrong: number; until: number } {
  try {
    const { wrong, until } = JSON.parse(localStorage.getItem(TRIES) ?? '{}') as { wrong?: number; until?: number };
    return { wrong: Number(wrong) || 0, until: Number(until) || 0 };
  } catch {
    return { wrong: 0, until: 0 };
  }
}

/** Opens all tabs; false where it was another passphrase, which costs a pause that grows. */
export async function unlock(passphrase: string): Promise<boolean> {
  const kept = keptNow();
  if (!kept) return unlockedForGood(), true;
  if (pauseMs() > 0) return false;
  const raw = await tried(passphrase, kept);
  if (!raw) return false;
  const by = await importKey(raw);
  const half = new TextDecoder().decode(await openWith(by, unpacked(kept.secret)));
  active = Date.now();
  useKey(by);
  // A tab ended in the middle of setting it.
  if (await isHalfSealed()) await reseal(by);
  opened(by, half);
  tabs.postMessage({ what: 'opened', key: by, secret: half } satisfies Told);
  return true;
}

/** The key, or nothing; what was wrong is counted before anybody hears of it. */
async function tried(passphrase: string, kept: Kept): Promise<ArrayBuffer | null> {
  const { wrong } = tries();
  const pause = wrong < FREE_TRIES ? 0 : Math.min(1_000 * 2 ** (wrong - FREE_TRIES), PAUSE_MS_MAX);
  localStorage.setItem(TRIES, JSON.stringify({ wrong: wrong + 1, until: Date.now() + pause }));
  const by = await hashed(passphrase, unbase64(kept.salt), kept.rounds);
  const raw = await openWith(by, unpacked(kept.key)).catch(() => null);
  if (raw) localStorage.removeItem(TRIES);
  return raw;
}

/** Whether it is the passphrase, asked where the page is open; a wrong one counts as it does where it is locked. */
async function said(passphrase: string): Promise<ArrayBuffer | null> {
  const kept = keptNow();
  return kept && pauseMs() === 0 ? tried(passphrase, kept) : null;
}

/**
 * Sets it, or another one in the place of `before`; `renew` begins another session, and gives its half. False where it was not
 * the one from before. What is kept stays sealed by the same key, which the other passphrase seals.
 */
export async function setPassphrase(passphrase: string, before: string | null, renew: () => Promise<string>): Promise<boolean> {
  const raw = before === null ? crypto.getRandomValues(new Uint8Array(KEY_BYTES)) : await said(before);
  if (!raw) return false;
  const salt = crypto.getRandomValues(new Uint8Array(16));
  const by = await importKey(raw);
  const wrapped = await sealWith(await hashed(passphrase, salt, ROUNDS), raw);
  new Uint8Array(raw instanceof ArrayBuffer ? raw : raw.buffer).fill(0);
  const swap = async () => {
    const half = await renew();
    const kept: Kept = { salt: base64(salt), rounds: ROUNDS, key: pack(wrapped), secret: await packed(by, half), idle: idleMinutes.value };
    localStorage.setItem(LOCK, JSON.stringify(kept));
    localStorage.removeItem(SECRET);
    localStorage.removeItem(TRIES);
    opened(by, half);
    tabs.postMessage({ what: 'opened', key: by, secret: half } satisfies Told);
  };
  await sessionTurn(() => (before === null ? reseal(by, swap) : swap()));
  return true;
}

/** From now on nothing is locked; false where it was another passphrase. */
export async function removePassphrase(passphrase: string): Promise<boolean> {
  const raw = await said(passphrase);
  if (!raw) return false;
  await sessionTurn(async () => {
    const half = secret;
    if (lock.value !== 'open' || !key || !half) return;
    await layBeside(key);
    localStorage.setItem(SECRET, half);
    localStorage.removeItem(LOCK);
    unlockedForGood();
    tabs.postMessage({ what: 'unset' } satisfies Told);
  });
  return true;
}

export function setIdle(minutes: number): void {
  const kept = keptNow();
  idleMinutes.value = minutes;
  if (kept) localStorage.setItem(LOCK, JSON.stringify({ ...kept, idle: minutes } satisfies Kept));
}

/** Nothing stays of what this browser kept, nor its way to the node. */
export async function eraseAll(): Promise<void> {
  for (const name of Object.keys(localStorage)) {
    if (name.startsWith('dak.') && !HARMLESS.includes(name)) localStorage.removeItem(name);
  }
  forgetAll();
  lock.value = 'none';
  tabs.postMessage({ what: 'erased' } satisfies Told);
  await erase();
}

/** One change of the session at a time, in all tabs. */
export function sessionTurn<T>(doing: () => Promise<T>): Promise<T> {
  return navigator.locks.request('dak-session', doing) as Promise<T>;
}

function keptNow(): Kept | null {
  try {
    return JSON.parse(localStorage.getItem(LOCK) ?? 'null') as Kept | null;
  } catch {
    return null;
  }
}

async function hashed(passphrase: string, salt: BufferSource, iterations: number): Promise<CryptoKey> {
  // The same passphrase is the same whichever keyboard it was typed with.
  const bytes = new TextEncoder().encode(passphrase.normalize('NFKC'));
  const from = await crypto.subtle.importKey('raw', bytes, 'PBKDF2', false, ['deriveKey']);
  return crypto.subtle.deriveKey({ name: 'PBKDF2', hash: 'SHA-256', salt, iterations }, from, { name: 'AES-GCM', length: 256 }, false, ['encrypt', 'decrypt']);
}

function importKey(raw: BufferSource): Promise<CryptoKey> {
  return crypto.subtle.importKey('raw', raw, 'AES-GCM', false, ['encrypt', 'decrypt']);
}

async function packed(by: CryptoKey, text: string): Promise<Packed> {
  return pack(await sealWith(by, new TextEncoder().encode(text)));
}

function pack({ iv, bytes }: Sealed): Packed {
  return [base64(iv), base64(bytes)];
}

function unpacked([iv, bytes]: Packed): Sealed {
  return { iv: unbase64(iv), bytes: unbase64(bytes).buffer };
}
