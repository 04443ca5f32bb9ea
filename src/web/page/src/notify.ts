// What came, told to who does not look: by the system, where that is wanted, and in the words of a screen reader.
import type { AppNotice, TalkRow } from './api.types';
import { onLocked } from './lock';
import { person } from './people';
import { place, to } from './route';
import { inLine } from './safe';
import { notifies } from './settings';
import { groupOf, nameOf, onHappened, rowOf, talks } from './store';
import { isLeader } from './stream';
import { say, tell } from './tell';
import { t } from './words';

const WORDS_MAX = 160;
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
    if (isOpen && document.visibilityState === 'visible') say(t('talk.heard', { name: person(row.from), text: words(row) }));
    if (isLeader.value && notifies.value && !document.hasFocus() && !isQuiet(row)) notify(row);
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

function isQuiet(row: TalkRow): boolean {
  const talk = talks.value?.find((one) => one.conversation === row.conversation);
  return row.muted || (talk?.muted ?? false) || (talk?.request ?? false);
}

function words(row: TalkRow): string {
  if (row.text) return inLine(row.text, WORDS_MAX);
  return row.files.length ? t('talk.with_files', { count: row.files.length }) : t('message.parent_here');
}

function notify(row: TalkRow): void {
  const name = person(row.from);
  const title = groupOf(row.conversation) ? t('notify.in_group', { name, group: nameOf(row.conversation) }) : name;
  show(title, words(row), row.conversation, () => (location.hash = to('talk', [row.conversation], { at: row.id })));
}

/** Has the system show something; what has the same tag takes the place of what was there. */
function show(title: string, body: string, tag: string, open: () => void): void {
  if (!('Notification' in window) || Notification.permission !== 'granted') return;
  const told = new Notification(title, { body, tag, icon: '/icon.svg', dir: 'auto' });
  shown.add(told);
  told.onclose = () => shown.delete(told);
  told.onclick = () => {
    window.focus();
    open();
    told.close();
  };
}
