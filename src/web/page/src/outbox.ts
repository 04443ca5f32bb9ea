// What was written while the node was out of reach: it waits in this browser, in its order, and goes when the node is back. Each
// message has a key of its own from the start, so that the node sends it once, also where an answer was lost on its way here.
import { effect, signal } from '@preact/signals';
import { ask, isAbort, Refusal } from './api';
import type { Compose, SentRow } from './api.types';
import { freshHex } from './hex';
import { keeps } from './installed';
import { beforeLocked, lock, onLocked } from './lock';
import { isLeader, link } from './stream';
import { failure, tell } from './tell';
import { queue, queued, requeue, unqueue } from './vault';
import { t } from './words';

/** So many messages wait at most, */
const WAITING_MAX = 100;
/** and no more than so much of them. */
const WAITING_BYTES_MAX = 4 * 1024 * 1024;
/** A node that has not answered after so long is out of reach; what it did is found out later. */
const ANSWER_MS = 30_000;

/** What may be over in a while, whatever the message is. */
const LATER: Refusal['kind'][] = ['unreachable', 'session', 'not_running', 'store', 'busy'];
/** How long it is until another try, at first and at most. */
const AGAIN_MS = 2_000;
const AGAIN_MS_MAX = 60_000;

interface Kept {
  compose: Compose;
  written: string;
  /** Why the node did not take it, where it said so. */
  refused: string | null;
  /** It was on its way once, and no answer came: it may be at the node. */
  tried: boolean;
}

export interface Waiting extends Kept {
  number: number;
}

/** What is on its way to the node and may wait here. */
const underWay = new Map<Compose, Promise<unknown>>();
/** How long that may take once the page is to be locked; then it waits here. */
const LAST_ANSWER_MS = 800;
beforeLocked(async () => {
  await Promise.race([Promise.allSettled(underWay.values()), new Promise((resolve) => setTimeout(resolve, LAST_ANSWER_MS))]);
  for (const compose of [...underWay.keys()]) {
    underWay.delete(compose);
    await wait(compose, true);
  }
});

/** All that waits, in its order. */
export const waiting = signal<Waiting[]>([]);

type Told = { what: 'changed' } | { what: 'sent'; count: number };
const tabs = new BroadcastChannel('dak-outbox');

onLocked(() => (waiting.value = []));

/** Begins to send what waits, whenever the node is there. */
export function beginToSend(): void {
  tabs.onmessage = ({ data }) => heard(data as Told);
  effect(() => {
    if (keeps.value === 'yes' && lock.value !== 'locked') void reload();
  });
  effect(() => {
    if (keeps.value === 'yes' && lock.value !== 'locked' && isLeader.value && link.value === 'up') void flush();
  });
}

function heard(told: Told): void {
  if (told.what === 'changed') {
    void reload();
    if (isLeader.value && link.value === 'up') void flush();
  } else tell(t('outbox.sent', { count: told.count }));
}

function changed(): Promise<void> {
  tabs.postMessage({ what: 'changed' } satisfies Told);
  return reload();
}

async function reload(): Promise<void> {
  if (lock.value === 'locked') return;
  try {
    const found = await queued<Kept>();
    waiting.value = found.map(([number, one]) => ({ ...one, number }));
  } catch {
    waiting.value = [];
  }
}

/** What was written last before goes first, or is known to wait. */
let ahead: Promise<unknown> = Promise.resolve();

/** Sends a message, or has it wait here for the node. */
export async function post(words: Compose, signal: AbortSignal): Promise<SentRow | 'waits'> {
  const compose: Compose = { ...words, once: freshHex(16) };
  const mayWait = keeps.value === 'yes' && !compose.uploads?.length;
  if (!mayWait) return ask('POST /v1/send', compose, signal);
  const posted = ahead.then(() => inTurn(compose, signal));
  ahead = posted.catch(() => null);
  underWay.set(compose, posted);
  try {
    return await posted;
  } finally {
    underWay.delete(compose);
  }
}

async function inTurn(compose: Compose, signal: AbortSignal): Promise<SentRow | 'waits'> {
  // The page was locked meanwhile, and it waits.
  if (!underWay.has(compose)) return 'waits';
  const isBehind = waiting.value.some((one) => one.refused === null);
  if (link.value === 'down' || isBehind) return wait(compose, false);
  try {
    return await ask('POST /v1/send', compose, AbortSignal.any([signal, after(ANSWER_MS)]));
  } catch (error) {
    if (error instanceof Refusal && error.kind === 'unreachable') return wait(compose, true);
    throw error;
  }
}

function after(ms: number): AbortSignal {
  const late = new AbortController();
  setTimeout(() => late.abort(new Refusal('unreachable', '')), ms);
  return late.signal;
}

async function wait(compose: Compose, tried: boolean): Promise<'waits'> {
  const bytes = [compose, ...waiting.value.map((one) => one.compose)].reduce((sum, one) => sum + JSON.stringify(one).length, 0);
  if (waiting.value.length >= WAITING_MAX || bytes > WAITING_BYTES_MAX) throw new Refusal('refused', t('outbox.full'));
  await queue({ compose, written: new Date().toISOString(), refused: null, tried } satisfies Kept);
  // Else a browser that is short of space may take it away.
  void navigator.storage?.persist?.().catch(() => false);
  await changed();
  if (link.value === 'up') void flush();
  return 'waits';
}

/** Takes one back before it goes; none where it went a moment ago. */
export async function takeBack(number: number): Promise<Waiting | null> {
  const taken = await navigator.locks.request('dak-outbox', async () => {
    const found = (await queued<Kept>()).find(([one]) => one === number);
    if (found) await unqueue(number);
    return found ? { ...found[1], number } : null;
  });
  await changed();
  return taken;
}

/** Has one that was refused tried once more. */
export async function again(number: number): Promise<void> {
  await navigator.locks.request('dak-outbox', async () => {
    const found = (await queued<Kept>()).find(([one]) => one === number);
    if (found) await requeue(number, { ...found[1], refused: null } satisfies Kept);
  });
  await changed();
  void flush();
}

let pause = AGAIN_MS;
let next: ReturnType<typeof setTimeout> | undefined;

/** Sends what waits, one after the other, until the node is away again. */
async function flush(): Promise<void> {
  let count = 0;
  try {
    // The lock is for one message at a time, so that whoever takes one back need not wait for all.
    while (await navigator.locks.request('dak-outbox', sendNext)) {
      count += 1;
      pause = AGAIN_MS;
      await changed();
    }
  } catch (error) {
    if (!isAbort(error) && !(error instanceof Refusal)) console.warn(error);
    // That it is in reach again the stream says; of all else nobody does.
    if (link.value === 'up') {
      clearTimeout(next);
      next = setTimeout(() => void (link.value === 'up' && flush()), pause);
      pause = Math.min(pause * 2, AGAIN_MS_MAX);
    }
  }
  await reload();
  if (count === 0) return;
  tabs.postMessage({ what: 'sent', count } satisfies Told);
  tell(t('outbox.sent', { count }));
}

/** Sends the first that waits; false where none does. */
async function sendNext(): Promise<boolean> {
  for (const [number, one] of await queued<Kept>()) {
    if (one.refused !== null) continue;
    try {
      await ask('POST /v1/send', one.compose, after(ANSWER_MS));
    } catch (error) {
      if (!(error instanceof Refusal) || LATER.includes(error.kind)) {
        if (!one.tried) await requeue(number, { ...one, tried: true } satisfies Kept);
        throw error;
      }
      await requeue(number, { ...one, refused: failure(error) } satisfies Kept);
      continue;
    }
    await unqueue(number);
    return true;
  }
  return false;
}
