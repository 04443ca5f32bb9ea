// What happens, told by the node once for all tabs of a browser: one of them holds the stream, and hands on what it hears.
// A tab that takes over goes on behind the last number that it heard of, so that nothing is left out.
import { signal } from '@preact/signals';
import { ask, follow, isAbort, Refusal, session } from './api';
import type { Beside, HappenedRow as Happened } from './api.types';
import { isOpen, onLocked } from './lock';

/** Whether the node is there. */
export const link = signal<'connecting' | 'up' | 'down'>('connecting');
/** Whether this tab holds the stream: it alone tells the system of what came. */
export const isLeader = signal(false);

/** What tabs tell each other. */
type Told =
  | { what: 'happened'; row: HappenedRow }
  | { what: 'link'; state: 'up' | 'down' }
  /** Something may have been missed: all is to be looked up anew. */
  | { what: 'anew' }
  /** Something beside the record changed: pins, contacts, groups, drafts, who is near. */
  | { what: 'changed'; of: string }
  | { what: 'hello' };

/** What happened to a message. */
export type HappenedRow = Exclude<Happened, { beside: Beside }>;

/** What the page calls what the node tells of, where that differs. */
const BESIDE: Partial<Record<Beside, string>> = { places: 'talks' };

const tabs = new BroadcastChannel('dak');
const listeners = new Set<(row: HappenedRow) => void>();
const anew = new Set<(of?: string) => void>();
let last: number | undefined;

onLocked(() => {
  last = undefined;
  link.value = 'connecting';
});

/** Hears of everything that happens to messages, in this tab or another, until the answer is called. */
export function onHappened(hear: (row: HappenedRow) => void): () => void {
  listeners.add(hear);
  return () => listeners.delete(hear);
}

/** Hears when all, or one kind of thing, is to be looked up anew. */
export function onAnew(hear: (of?: string) => void): () => void {
  anew.add(hear);
  return () => anew.delete(hear);
}

/** Says to all tabs, this one included, that something changed of which no event tells. */
export function changed(of: string): void {
  tell({ what: 'changed', of });
}

function tell(told: Told): void {
  tabs.postMessage(told);
  heard(told);
}

function heard(told: Told): void {
  switch (told.what) {
    case 'happened':
      last = told.row.event;
      for (const hear of listeners) hear(told.row);
      break;
    case 'link':
      link.value = told.state;
      break;
    case 'anew':
      for (const hear of anew) hear();
      break;
    case 'changed':
      for (const hear of anew) hear(told.of);
      break;
    case 'hello':
      if (isLeader.value && link.value !== 'connecting') tabs.postMessage({ what: 'link', state: link.value } satisfies Told);
  }
}

/** Begins to listen; ends with the tab. */
export function listen(): void {
  tabs.onmessage = ({ data }) => heard(data as Told);
  tabs.postMessage({ what: 'hello' } satisfies Told);
  void navigator.locks.request('dak-stream', async () => {
    isLeader.value = true;
    let pause = 500;
    for (;;) {
      await isOpen();
      try {
        // Where the node takes no further part, it says so; a silent wire is found out by asking.
        await hold(() => (pause = 500));
      } catch (error) {
        // The page was locked, or shown out.
        if (isAbort(error)) continue;
        if (error instanceof Refusal && error.kind === 'forgotten') last = undefined;
        if (error instanceof Refusal && error.kind === 'session') await sessionHeld();
      }
      tell({ what: 'link', state: 'down' });
      await new Promise<void>((resolve) => {
        setTimeout(resolve, pause);
        addEventListener('online', () => resolve(), { once: true });
      });
      pause = Math.min(pause * 2, 10_000);
    }
  });
}

async function hold(onOpen: () => void): Promise<void> {
  const since = last;
  const silence = new AbortController();
  const isGone = () => silence.abort(new Refusal('unreachable', ''));
  // Where there is no way to it, nobody may say so for minutes.
  let timer = setTimeout(isGone, 20_000);
  // The node says every 15 seconds that nothing happened; without that it is gone, and nobody said so.
  const heardOf = () => {
    clearTimeout(timer);
    timer = setTimeout(isGone, 50_000);
  };
  addEventListener('offline', isGone);
  try {
    const fields = since === undefined ? { beside: true } : { since, beside: true };
    const opened = () => {
      onOpen();
      heardOf();
      tell({ what: 'link', state: 'up' });
      tell({ what: 'anew' });
    };
    const told = follow<Happened>('GET /v1/events', fields, silence.signal, { onOpen: opened, onLine: heardOf });
    for await (const { data } of told) {
      if ('beside' in data) tell({ what: 'changed', of: BESIDE[data.beside] ?? data.beside });
      else tell({ what: 'happened', row: data });
    }
  } finally {
    clearTimeout(timer);
    removeEventListener('offline', isGone);
  }
}

function sessionHeld(): Promise<void> {
  return new Promise((resolve) => {
    const end = session.subscribe((state) => {
      if (state === 'held') {
        queueMicrotask(() => end());
        resolve();
      }
    });
  });
}

/** Whether the node answers at all: asked when the page is looked at again. */
export async function look(): Promise<void> {
  await ask('GET /v1/version').catch(() => null);
}
