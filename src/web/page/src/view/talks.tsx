// Conversations: the list of them, and beside it the one that is open.
import { signal } from '@preact/signals';
import { useRef } from 'preact/hooks';
import { ask } from '../api';
import type { ArrangeBody, ConversationRow } from '../api.types';
import { peerOf } from '../people';
import { inLine } from '../safe';
import { changed, contacts, drafts, groups, isNear, link, nameOf, talks } from '../store';
import { attempt } from '../tell';
import { whenBriefly } from '../times';
import { to, type Place } from '../route';
import { t, type WordKey } from '../words';
import { Icon } from './icons';
import { Outlook } from './shell';
import { AskingPlace } from './message';
import { Talk } from './talk';
import { NewTalk } from './new';
import { Avatar, Button, Empty, Menu, rove, Time, type MenuItem } from './ui';
import './talks.css';

type Shelf = 'inbox' | 'unread' | 'requests' | 'away';

const shelf = signal<Shelf>('inbox');
const isWritingTo = signal(false);

export function Talks({ place }: { place: Place }) {
  const who = place.parts[0];
  return (
    <div class={`talks${who ? ' open' : ''}`}>
      <TalkList open={who} />
      {who ? (
        <Talk key={who} who={who} at={place.query.get('at') ?? undefined} thread={place.query.get('thread') ?? undefined} />
      ) : (
        <div class="talks-nobody">
          <Empty icon="talk" title={t('talks.choose')}>
            {t('talks.choose_more')}
          </Empty>
        </div>
      )}
      <AskingPlace />
      {isWritingTo.value && <NewTalk close={() => (isWritingTo.value = false)} />}
    </div>
  );
}

function isAway(row: ConversationRow): boolean {
  return row.archived || row.snoozed_until !== null;
}

function onShelf(row: ConversationRow, on: Shelf): boolean {
  switch (on) {
    case 'inbox':
      return !isAway(row) && !row.request;
    case 'unread':
      return !isAway(row) && row.unread > 0;
    case 'requests':
      return !isAway(row) && row.request;
    case 'away':
      return isAway(row);
  }
}

function TalkList({ open }: { open: string | undefined }) {
  const list = useRef<HTMLUListElement>(null);
  const all = talks.value;
  const count = (on: Shelf) => (all ?? []).filter((row) => onShelf(row, on)).length;
  const shelves = (['inbox', 'unread', 'requests', 'away'] as const).filter((on) => on === 'inbox' || on === 'unread' || count(on) > 0);
  const here = shelves.includes(shelf.value) ? shelf.value : 'inbox';
  const shown = (all ?? []).filter((row) => onShelf(row, here) || (here === 'unread' && row.conversation === open && !isAway(row)));
  const first = shown.findIndex((row) => row.conversation === open);
  return (
    <section class="talk-list" aria-label={t('screen.talk')}>
      <header class="talk-list-head">
        <div>
          {open ? <h2>{t('screen.talk')}</h2> : <h1>{t('screen.talk')}</h1>}
          <Outlook />
        </div>
        <Button icon="edit" label={t('talks.new')} isIconOnly kind="quiet" onClick={() => (isWritingTo.value = true)} />
      </header>
      <div class="shelves" role="group" aria-label={t('talks.shelves')}>
        {shelves.map((on) => (
          <button type="button" class="shelf" aria-pressed={here === on} onClick={() => (shelf.value = on)}>
            {t(`talks.shelf_${on}`)}
            {on !== 'inbox' && on !== 'away' && count(on) > 0 && <span class="shelf-count">{count(on)}</span>}
          </button>
        ))}
      </div>
      <ul ref={list} class="talk-rows" onKeyDown={(event) => void rove(event, list.current, 'a.talk-row')}>
        {shown.map((row, n) => (
          <TalkRowView key={row.conversation} row={row} isOpen={row.conversation === open} isStop={n === Math.max(0, first)} />
        ))}
        {here === 'inbox' && all && <Silent />}
      </ul>
      {all && shown.length === 0 && (here !== 'inbox' || (contacts.value.length === 0 && groups.value.length === 0)) && (
        <Empty icon={here === 'unread' ? 'check' : 'talk'} title={t(`talks.empty_${here}`)}>
          {here === 'inbox' && t('talks.empty_more')}
        </Empty>
      )}
      {!all && <p class="pad muted">{t(link.value === 'down' ? 'offline.away' : 'shell.connecting')}</p>}
    </section>
  );
}

function TalkRowView({ row, isOpen, isStop }: { row: ConversationRow; isOpen: boolean; isStop: boolean }) {
  const name = nameOf(row.conversation);
  const group = groups.value.find((one) => one.address === row.conversation);
  const draft = draftTo(row.conversation);
  const words = draft ?? row.last_text;
  const isQuiet = row.muted;
  return (
    <li class={`talk-item${isOpen ? ' open' : ''}${row.unread ? ' unread' : ''}${isQuiet ? ' quiet' : ''}`}>
      <a class="talk-row" href={to('talk', [row.conversation])} aria-current={isOpen ? 'true' : undefined} tabIndex={isStop ? 0 : -1}>
        <Avatar name={name} address={row.conversation} isGroup={!!group} isNear={isNear(row.conversation)} />
        <span class="talk-words">
          <span class="talk-line">
            <bdi class="talk-name cut">{name}</bdi>
            <span class="talk-signs">
              {row.pinned && <Icon name="pin" size={14} />}
              {row.muted && <Icon name="mute" size={14} />}
              {row.last_at && (
                <span class="talk-at">
                  <Time at={row.last_at} show={whenBriefly} />
                </span>
              )}
            </span>
          </span>
          <span class="talk-line">
            <span class="talk-last cut" dir="auto">
              {draft ? <span class="draft-mark">{t('talks.draft')} </span> : row.last_mine ? <span class="muted">{t('talks.mine')} </span> : null}
              {words ? inLine(words, 140) : <span class="muted">{t(row.last_at ? 'talks.no_words' : 'talks.silent')}</span>}
            </span>
            {row.unread > 0 && (
              <span class={`badge${isQuiet ? ' quiet' : ''}`}>
                {row.unread > 999 ? '999+' : row.unread}
                <span class="unseen"> {t('talks.unread_count', { count: row.unread })}</span>
              </span>
            )}
          </span>
          {(row.request || row.snoozed_until) && (
            <span class="talk-fact">
              {row.request && t('talks.request')}
              {row.snoozed_until && (
                <>
                  <Icon name="clock" size={13} /> {t('talks.snoozed')} <Time at={row.snoozed_until} />
                </>
              )}
            </span>
          )}
        </span>
      </a>
      <Menu class="talk-menu" label={t('talks.menu', { name })} items={() => talkItems(row)} />
    </li>
  );
}

/** Contacts and groups with whom nothing was said yet. */
function Silent() {
  const spoken = new Set((talks.value ?? []).map((row) => row.conversation));
  const peers = new Set([...spoken].map(peerOf));
  const silent = [
    ...groups.value.filter((group) => group.standing === 'joined' && !spoken.has(group.address)).map((group) => ({ address: group.address, name: group.name, isGroup: true })),
    ...contacts.value
      .filter((contact) => contact.standing === 'contact' && !peers.has(contact.peer_id))
      .map((contact) => ({ address: `dak:${contact.peer_id}`, name: contact.name, isGroup: false })),
  ];
  return (
    <>
      {silent.map(({ address, isGroup }) => (
        <li class="talk-item silent" key={address}>
          <a class="talk-row" href={to('talk', [address])} tabIndex={-1}>
            <Avatar name={nameOf(address)} address={address} isGroup={isGroup} isNear={isNear(address)} />
            <span class="talk-words">
              <bdi class="talk-name cut">{nameOf(address)}</bdi>
              <span class="talk-last muted">{t('talks.silent')}</span>
            </span>
          </a>
        </li>
      ))}
    </>
  );
}

/** What is being written to somebody and not sent. */
function draftTo(address: string): string | null {
  const peer = peerOf(address);
  const draft = drafts.value.find((one) => !one.at && !one.refused && one.to.length === 1 && isTo(one.to[0]!, address, peer));
  return draft && draft.text.trim() ? draft.text : null;
}

/** Whether what a draft has for its recipient, a name or an address, is this one. */
export function isTo(named: string, address: string, peer = peerOf(address)): boolean {
  return named === address || peerOf(named) === peer || contacts.value.some((one) => one.name === named && one.peer_id === peer) || groups.value.some((one) => one.name === named && one.address === address);
}

async function arrange(what: string, how: ArrangeBody['how']): Promise<void> {
  await attempt(ask('POST /v1/arrange', { what: [what], how }));
  changed('talks');
}

/** The moments that one puts things off to. */
function snoozes(): [WordKey, Date][] {
  const at = (days: number, hour: number) => {
    const day = new Date();
    day.setDate(day.getDate() + days);
    day.setHours(hour, 0, 0, 0);
    return day;
  };
  const hours = new Date(Date.now() + 3 * 3_600_000);
  const monday = at(((8 - new Date().getDay()) % 7) || 7, 8);
  return [
    ['snooze.hours', hours],
    ['snooze.tomorrow', at(1, 8)],
    ['snooze.monday', monday],
  ];
}

/** What can be done with a conversation as a whole. */
export function talkItems(row: ConversationRow): MenuItem[] {
  const who = row.conversation;
  const items: MenuItem[] = [
    { icon: 'pin', label: t(row.pinned ? 'talks.unpin' : 'talks.pin'), does: () => void arrange(who, row.pinned ? 'unpin' : 'pin') },
    { icon: 'mute', label: t(row.muted ? 'talks.unmute' : 'talks.mute'), does: () => void arrange(who, row.muted ? 'unmute' : { mute: {} }) },
  ];
  if (!row.muted) {
    items.push({ icon: 'mute', label: t('talks.mute_mentions'), does: () => void arrange(who, { mute: { except_mentions: true } }) });
  }
  if (row.snoozed_until) {
    items.push({ icon: 'clock', label: t('talks.unsnooze'), does: () => void arrange(who, 'unsnooze') });
  } else {
    for (const [key, until] of snoozes()) {
      items.push({ icon: 'clock', label: t(key), does: () => void arrange(who, { snooze: { until: until.toISOString() } }) });
    }
  }
  items.push({ icon: 'archive', label: t(row.archived ? 'talks.unarchive' : 'talks.archive'), does: () => void arrange(who, row.archived ? 'unarchive' : 'archive') });
  return items;
}
