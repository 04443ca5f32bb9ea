// What came, told to who does not look: by the system, where that is wanted, and in the words of a screen reader.
import { effect } from '@preact/signals';
import { follow, isAbort } from './api';
import type { AppNotice, InboxRow, TalkRow } from './api.types';
import { lock, onLocked } from './lock';
import { called, peerOf, person } from './people';
import { place, to } from './route';
import { inLine } from './safe';
import { notifies } from './settings';
import { groups, link, nameOf, onHappened, rowOf } from './store';
import { isLeader } from './stream';
import { say, tell } from './tell';
import { t } from './words';

const WORDS_MAX = 160;
/** After so long the node is listened to anew, where it stopped to tell. */
const PAUSE_MS = 2_000;
/** What the system shows of ours. */
const shown = new Set<Notification>();

onLocked(() => {
  for (const told of shown) told.close();
  shown.clear();
});

/** Begins to tell; the tab that holds the stream tells the system, so that it is told once. */
export function beginToTell(): void {
  onHappened((happened) => {
    const row = rowOf(happened);
    if (row && happened.what === 'update' && 'notice' in happened && happened.notice) return told(row, happened.notice);
    if (!row || happened.what !== 'message' || row.mine || row.read) return;
    const isOpen = place.value.screen === 'talk' && place.value.parts[0] === row.conversation;
    if (isOpen && document.visibilityState === 'visible') say(t('talk.heard', { name: person(row.from), text: words(row.text, row.files.length) }));
  });
  effect(() => {
    if (!isLeader.value || !notifies.value || link.value !== 'up' || lock.value === 'locked') return;
    const ended = new AbortController();
    void tellSystem(ended.signal);
    return () => ended.abort();
  });
}

/** An app wants this person to be told something; whether now is the time, the node knows. */
function told(row: TalkRow, notice: AppNotice): void {
  const text = inLine(notice.text, WORDS_MAX);
  const isOpen = place.value.screen === 'app' && place.value.parts[0] === row.id;
  if (isOpen && document.visibilityState === 'visible') return;
  const open = () => (location.hash = to('app', [row.id], notice.href ? { href: notice.href } : {}));
  if (document.visibilityState === 'visible') tell(text, { label: t('notify.app_open'), does: open });
  if (isLeader.value && notifies.value && !document.hasFocus()) show(nameOf(row.conversation), text, row.id, open);
}

/** Tells what the node tells of: it knows of quiet hours, of what is muted, and of what may break into both. */
async function tellSystem(signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    try {
      for await (const { data } of follow<InboxRow>('GET /v1/inbox/follow', {}, signal)) {
        if (!data.read && !data.request && !document.hasFocus()) notify(data);
      }
    } catch (error) {
      if (isAbort(error)) return;
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MS));
  }
}

function words(text: TalkRow['text'], files: number): string {
  if (text) return inLine(text, WORDS_MAX);
  return files ? t('talk.with_files', { count: files }) : t('message.parent_here');
}

function notify(row: InboxRow): void {
  const name = called(row.from, row.nickname);
  const title = row.group ? t('notify.in_group', { name, group: inLine(row.group, 80) }) : name;
  const group = row.group ? groups.value.find((one) => one.name === row.group) : undefined;
  const conversation = row.group ? group?.address : `dak:${peerOf(row.from_address)}`;
  const open = () => (location.hash = conversation ? to('talk', [conversation], { at: row.id }) : to('talk'));
  show(title, words(row.text, row.attachments.length), conversation ?? row.id, open);
}

/** Has the system show something; what has the same tag takes the place of what was there. */
function show(title: string, body: string, tag: string, open: () => void): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const how: NotificationOptions = { body, tag, icon: '/icon.svg', dir: 'auto' };
  let told: Notification;
  try {
    told = new Notification(title, how);
  } catch {
    // Phones let the worker alone do it, which brings the page to the front.
    void navigator.serviceWorker?.ready.then((ready) => ready.showNotification(title, how)).catch(() => undefined);
    return;
  }
  shown.add(told);
  told.onclose = () => shown.delete(told);
  told.onclick = () => {
    window.focus();
    open();
    told.close();
  };
}
