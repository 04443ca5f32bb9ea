// What the page knows of the node, looked up when something happened that it may be about. Screens read these signals, and
// say `changed('talks')` once they changed something of which no event tells.
import { computed, signal, type Signal } from '@preact/signals';
import { ask, isAbort, Refusal, type Gives, type Route } from './api';
import type { ContactRow, ConversationRow, DraftRow, GroupRow, MeRow, NearbyRow, OutlookRow } from './api.types';
import { lock, onLocked } from './lock';
import { called, peerOf } from './people';
import { link, onAnew, onHappened, type HappenedRow } from './stream';
import { t } from './words';

export { changed, link, onAnew, onHappened } from './stream';
export type { HappenedRow } from './stream';

export const me = signal<MeRow | null>(null);
/** Conversations as the node lists them; `null` until they are known. */
export const talks = signal<ConversationRow[] | null>(null);
export const contacts = signal<ContactRow[]>([]);
export const groups = signal<GroupRow[]>([]);
export const drafts = signal<DraftRow[]>([]);
export const nearby = signal<NearbyRow[]>([]);
export const outlook = signal<OutlookRow | null>(null);

onLocked(() => {
  [me.value, talks.value, outlook.value] = [null, null, null];
  for (const list of [contacts, groups, drafts, nearby]) list.value = [];
});

/** All messages that wait to be read, without muted conversations. */
export const unread = computed(() => (talks.value ?? []).reduce((sum, talk) => sum + (talk.muted ? 0 : talk.unread), 0));

/** Something that is looked up anew at most every so often, however often that is asked for. */
class Look {
  private isUnderWay = false;
  private isWanted = false;

  constructor(
    private readonly take: () => Promise<void>,
    private readonly pauseMs: number,
  ) {}

  async now(): Promise<void> {
    if (this.isUnderWay) {
      this.isWanted = true;
      return;
    }
    this.isUnderWay = true;
    try {
      await this.take();
    } catch (error) {
      // The stream says that the node is away, and has all looked up anew once it is back.
      if (!(error instanceof Refusal) && !isAbort(error)) throw error;
    }
    setTimeout(() => {
      this.isUnderWay = false;
      if (this.isWanted) {
        this.isWanted = false;
        void this.now();
      }
    }, this.pauseMs);
  }
}

function look<R extends Route, T>(route: R, fields: object, into: Signal<T>, pauseMs: number): Look {
  return new Look(async () => {
    into.value = (await ask(route, ...([fields] as never))) as Gives<R> & T;
  }, pauseMs);
}

const looks: Record<string, Look> = {
  me: look('GET /v1/me', {}, me, 1000),
  talks: look('GET /v1/talk', { all: true }, talks as Signal<ConversationRow[]>, 300),
  contacts: look('GET /v1/contacts', {}, contacts, 300),
  groups: look('GET /v1/groups', {}, groups, 300),
  drafts: look('GET /v1/drafts', {}, drafts, 300),
  nearby: look('GET /v1/nearby', {}, nearby, 2000),
  outlook: look('GET /v1/outlook', {}, outlook, 2000),
};

/** Looks one of them up anew. */
export function refresh(...of: (keyof typeof looks)[]): void {
  if (lock.value === 'locked') return;
  for (const one of of) void looks[one]?.now();
}

/** Takes part in what happens, from now on. */
export function begin(): void {
  onHappened((row) => {
    if (row.what !== 'state') refresh('talks');
    refresh('outlook');
    if ('kind' in row && row.kind === 'group') refresh('groups');
  });
  onAnew((of) => refresh(...(of ? [of] : Object.keys(looks))));
  onAnew((of) => {
    if (of === 'nearby') refresh('outlook');
  });
  // What comes to its end by time alone, such as that somebody was heard lately, no event tells of.
  setInterval(() => {
    if (document.visibilityState === 'visible' && link.value === 'up') refresh('nearby', 'outlook');
  }, 60_000);
  document.addEventListener('visibilitychange', () => {
    if (document.visibilityState === 'visible') refresh('talks', 'contacts', 'groups', 'drafts', 'nearby', 'outlook');
  });
  // At once, and whenever the passphrase was said.
  lock.subscribe(() => refresh(...Object.keys(looks)));
}

/** The event's row where it is of a message that is here. */
export function rowOf(happened: HappenedRow): Extract<HappenedRow, { kind: string }> | null {
  return 'kind' in happened ? happened : null;
}

/** What a conversation is called, by the address of whom it is with. */
export function nameOf(address: string): string {
  const peer = peerOf(address);
  const talk = talks.value?.find((one) => one.conversation === address);
  const group = groups.value.find((one) => one.address === address);
  const contact = contacts.value.find((one) => one.peer_id === peer);
  if (me.value?.peer_id === peer) return t('names.me');
  return called(talk?.name ?? group?.name ?? contact?.name ?? address, talk?.name ? null : talk?.nickname);
}

export function groupOf(address: string): GroupRow | null {
  return groups.value.find((one) => one.address === address) ?? null;
}

export function contactOf(address: string): ContactRow | null {
  const peer = peerOf(address);
  return contacts.value.find((one) => one.peer_id === peer) ?? null;
}

/** Whether somebody is met now, as far as this node knows; out of its reach nobody knows. */
export function isNear(address: string): boolean {
  const peer = peerOf(address);
  return link.value !== 'down' && nearby.value.some((one) => one.peer_id === peer && one.connected);
}
