// What of the node's is kept in this browser for when the node is out of reach: the last conversations, read-only, and what is
// being written. One tab keeps it, the one that holds the stream; all is sealed, as `vault.ts` tells.
import { DRAFT_FILES, DRAFT_NAMES } from './draft-files';
import { effect, signal } from '@preact/signals';
import { ask, isAbort, isUnreachable, Refusal } from './api';
import type { ContactRow, ConversationRow, GroupRow, MeRow, TalkRow } from './api.types';
import { freshHex } from './hex';
import { keeps } from './installed';
import { lock } from './lock';
import { contacts, groups, me, onAnew, onHappened, rowOf, talks } from './store';
import { isLeader, link } from './stream';
import { forget, get, Locked, names, put } from './vault';

/** So many conversations, the newest ones. */
const TALKS_MAX = 20;
/** So many of the last rows of each. */
const ROWS_MAX = 50;
/** And of these no more than so much, as it is written. */
const TALK_BYTES_MAX = 128 * 1024;
/** So many of what is being written. */
const DRAFTS_MAX = 50;
/** Events come in bursts. */
const PAUSE_MS = 2_000;
/** Between two conversations, so that nobody waits for this. */
const BETWEEN_MS = 100;
/** How often it is written down that the node is in reach. */
const NOTE_MS = 30_000;

const INDEX = 'index';
const DRAFTS = 'drafts';
const NOTED = 'dak.contact';

interface Index {
  me: MeRow | null;
  talks: ConversationRow[];
  contacts: ContactRow[];
  groups: GroupRow[];
  /** Under which name a conversation is kept; who sees the names sees nobody's address. */
  places: Record<string, string>;
}

export interface Drafted {
  text: string;
  answers: string | null;
}

/** Since when the node is out of reach, where that is known. */
export const awaySince = signal<string | null>(null);

const stale = new Set<string>();
let isKeeping = false;
/** What happened while no tab was open is not known: each is looked up once. */
let isFirst = true;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Begins to keep, and to show what was kept where the node is away. */
export function beginToKeep(): void {
  effect(() => {
    if (link.value === 'up') {
      awaySince.value = null;
      note();
    } else if (link.value === 'down') {
      awaySince.value = localStorage.getItem(NOTED);
      void showKept().catch(unlessLocked);
    }
  });
  effect(() => {
    if (keeps.value === 'yes' && isLeader.value && link.value === 'up' && lock.value !== 'locked') soon();
  });
  setInterval(() => {
    if (link.value === 'up') note();
  }, NOTE_MS);
  onHappened((happened) => {
    const row = rowOf(happened);
    if (row) stale.add(row.conversation);
    // What is gone says not from where.
    else for (const talk of talks.value ?? []) stale.add(talk.conversation);
    soon();
  });
  onAnew((of) => {
    if (of) return;
    for (const talk of talks.value ?? []) stale.add(talk.conversation);
    soon();
  });
}

function note(): void {
  localStorage.setItem(NOTED, new Date().toISOString());
}

function soon(): void {
  clearTimeout(timer);
  timer = setTimeout(() => void keep().catch(unlessLocked), PAUSE_MS);
}

function may(): boolean {
  return keeps.value === 'yes' && isLeader.value && link.value === 'up' && lock.value !== 'locked' && talks.value !== null;
}

async function keep(): Promise<void> {
  if (!may() || isKeeping) return;
  isKeeping = true;
  try {
    const before = await get<Index>(INDEX);
    const last = newest(talks.value ?? []);
    if (isFirst) for (const { conversation } of last) stale.add(conversation);
    isFirst = false;
    const places: Record<string, string> = {};
    for (const { conversation } of last) places[conversation] = before?.places[conversation] ?? fresh();
    // The last words stand in the list as far as they may be kept at all.
    const words = new Map<string, string | null>();
    const index = () => put(INDEX, { me: me.value, talks: last.map((talk) => ({ ...talk, last_text: words.get(talk.conversation) ?? null })), contacts: contacts.value, groups: groups.value, places } satisfies Index);
    for (const talk of last) {
      const who = talk.conversation;
      const known = before?.talks.find((one) => one.conversation === who);
      if (known && !stale.has(who) && known.last_at === talk.last_at) {
        words.set(who, known.last_text);
        continue;
      }
      if (!may()) break;
      stale.delete(who);
      try {
        const rows = await ask('GET /v1/talk/{who}', { who, limit: ROWS_MAX, glance: true });
        await put(places[who]!, bounded(rows));
        words.set(who, isForgotten(rows.at(-1)) ? null : talk.last_text);
      } catch (error) {
        unlessLocked(error);
        // What the node refuses, or has no room here, waits for what happens next there.
        if (!isUnreachable(error) && !isAbort(error)) continue;
        stale.add(who);
        break;
      }
      await new Promise((resolve) => setTimeout(resolve, BETWEEN_MS));
    }
    await index();
    const wanted = new Set([INDEX, DRAFTS, DRAFT_NAMES, ...Object.values(places)]);
    await forget(...(await names()).filter((name) => !wanted.has(name) && !name.startsWith(DRAFT_FILES)));
  } finally {
    isKeeping = false;
  }
  if (newest(talks.value ?? []).some(({ conversation }) => stale.has(conversation))) soon();
}

function newest(all: ConversationRow[]): ConversationRow[] {
  return [...all].sort((a, b) => (b.last_at ?? '').localeCompare(a.last_at ?? '')).slice(0, TALKS_MAX);
}

/** What may be kept of it: nothing that is to be forgotten, and no more than its share. */
function bounded(rows: TalkRow[]): TalkRow[] {
  const kept: TalkRow[] = [];
  let bytes = 0;
  for (const row of rows.toReversed()) {
    if (isForgotten(row)) continue;
    bytes += JSON.stringify(row).length;
    if (bytes > TALK_BYTES_MAX) break;
    kept.unshift(row);
  }
  return kept;
}

function isForgotten(row: TalkRow | undefined): boolean {
  return !!row && (!!row.expires_at || !!row.expire_after_read_ms || !!row.unreadable);
}

function fresh(): string {
  return `talk-${freshHex(8)}`;
}

/** What was kept stands where the node has said nothing yet. */
async function showKept(): Promise<void> {
  if (talks.value !== null || lock.value === 'locked') return;
  const kept = await get<Index>(INDEX);
  if (!kept || talks.value !== null) return;
  [me.value, contacts.value, groups.value, talks.value] = [kept.me, kept.contacts, kept.groups, kept.talks];
}

/** The last rows of a conversation, as they were kept. */
export async function keptRows(who: string): Promise<TalkRow[]> {
  try {
    const place = (await get<Index>(INDEX))?.places[who];
    return (place && (await get<TalkRow[]>(place))) || [];
  } catch {
    return [];
  }
}

/** Keeps what is being written to somebody, for the node cannot; nothing where it is empty. False where it is not kept. */
export async function keepDraft(who: string, draft: Drafted | null): Promise<boolean> {
  if (keeps.value !== 'yes') return false;
  try {
    await navigator.locks.request('dak-drafts', async () => {
      const all = (await get<Record<string, Drafted>>(DRAFTS)) ?? {};
      if (!draft && !(who in all)) return;
      delete all[who];
      if (draft) all[who] = draft;
      const newest = Object.entries(all).slice(-DRAFTS_MAX);
      await (newest.length ? put(DRAFTS, Object.fromEntries(newest)) : forget(DRAFTS));
    });
    return true;
  } catch {
    return false;
  }
}

export async function keptDraft(who: string): Promise<Drafted | null> {
  const all = await get<Record<string, Drafted>>(DRAFTS).catch(() => null);
  return all?.[who] ?? null;
}

function unlessLocked(error: unknown): void {
  if (!(error instanceof Locked) && !(error instanceof Refusal) && !isAbort(error)) console.warn(error);
}
