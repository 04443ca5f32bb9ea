// Everything that can be done with a message.
import { ask } from '../api';
import type { TalkRow } from '../api.types';
import { changed } from '../store';
import { attempt, tell } from '../tell';
import { t } from '../words';
import type { Acts } from './message';
import type { MenuItem } from './ui';

/** What needs a window of its own. */
export type Asked = 'history' | 'life' | 'task' | 'react' | 'label' | 'forward' | 'withdraw' | 'delete';

export function messageItems(row: TalkRow, acts: Acts, asks: (what: Asked) => void): MenuItem[] {
  const isHere = row.text !== null;
  const items: (MenuItem | false)[] = [
    { icon: 'reply', label: t('message.reply'), does: () => acts.reply(row) },
    { icon: 'thread', label: t('message.thread'), does: () => acts.thread(row) },
    row.mine && isHere && { icon: 'edit', label: t('message.edit'), does: () => acts.edit(row) },
    isHere && { icon: 'copy', label: t('message.copy'), does: () => void copy(row.text!) },
    isHere && { icon: 'forward', label: t('message.forward'), does: () => asks('forward') },
    isHere && !row.task && { icon: 'tasks', label: t('message.make_task'), does: () => void change(row, { task: 'open' }) },
    !!row.task && { icon: 'tasks', label: t('message.task_fields'), does: () => asks('task') },
    { icon: 'label', label: t('message.label'), does: () => asks('label') },
    { icon: 'pin', label: t(row.pinned ? 'talks.unpin' : 'talks.pin'), does: () => void arrange(row, row.pinned ? 'unpin' : 'pin') },
    row.mine && { icon: 'info', label: t('message.life'), does: () => asks('life') },
    { icon: 'clock', label: t('message.history'), does: () => asks('history') },
    !row.mine && row.read && { icon: 'talk', label: t('message.unread'), does: () => void attempt(ask('POST /v1/inbox/mark', { ids: [row.id], read: false })) },
    row.mine && isHere && { icon: 'trash', label: t('message.withdraw'), does: () => asks('withdraw'), isBad: true },
    { icon: 'trash', label: t('message.delete'), does: () => asks('delete'), isBad: true },
  ];
  return items.filter((item) => item !== false);
}

async function copy(text: string): Promise<void> {
  await navigator.clipboard.writeText(text);
  tell(t('message.copied'));
}

async function change(row: TalkRow, what: { task: 'open' }): Promise<void> {
  await attempt(ask('POST /v1/inbox/{id}/change', { id: row.id, ...what }));
}

async function arrange(row: TalkRow, how: 'pin' | 'unpin'): Promise<void> {
  await attempt(ask('POST /v1/arrange', { what: [row.id], how }));
  changed('talks');
  changed(`message:${row.id}`);
}
