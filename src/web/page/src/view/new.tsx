// Whom to write to: people and groups by the beginning of their names.
import { useMemo, useRef, useState } from 'preact/hooks';
import { contacts, groups, isNear, nearby } from '../store';
import { called } from '../people';
import { go, to } from '../route';
import { t } from '../words';
import { Avatar, Dialog, Empty, rove } from './ui';

export function NewTalk({ close }: { close: () => void }) {
  const [text, setText] = useState('');
  const list = useRef<HTMLUListElement>(null);
  const all = useMemo(
    () => [
      ...groups.value.filter((one) => one.standing === 'joined').map((one) => ({ address: one.address, name: one.name, fact: t('new.group', { count: one.members }), isGroup: true })),
      ...contacts.value.filter((one) => one.standing === 'contact').map((one) => ({ address: `dak:${one.peer_id}`, name: one.name, fact: t(one.verified ? 'new.verified' : 'new.contact'), isGroup: false })),
      ...nearby.value.filter((one) => !one.name).map((one) => ({ address: `dak:${one.peer_id}`, name: called(`dak:${one.peer_id}`, one.nickname), fact: t('new.stranger'), isGroup: false })),
    ],
    [contacts.value, groups.value, nearby.value],
  );
  const wanted = text.trim().toLocaleLowerCase();
  const found = all.filter((one) => one.name.toLocaleLowerCase().includes(wanted)).slice(0, 50);
  const open = (address: string) => {
    close();
    go(to('talk', [address]));
  };
  return (
    <Dialog title={t('talks.new')} close={close}>
      <input
        type="search"
        autofocus
        aria-label={t('new.find')}
        placeholder={t('new.find')}
        value={text}
        onInput={(event) => setText(event.currentTarget.value)}
        onKeyDown={(event) => {
          if (event.key === 'Enter' && found[0]) open(found[0].address);
          if (event.key === 'ArrowDown') {
            event.preventDefault();
            list.current?.querySelector('button')?.focus();
          }
        }}
      />
      <ul class="pick" ref={list} onKeyDown={(event) => void rove(event, list.current, 'button')}>
        {found.map((one) => (
          <li key={one.address}>
            <button type="button" onClick={() => open(one.address)}>
              <Avatar name={one.name} address={one.address} isGroup={one.isGroup} isNear={isNear(one.address)} />
              <span class="pick-words">
                <bdi class="cut">{called(one.name)}</bdi>
                <small class="muted">{one.fact}</small>
              </span>
            </button>
          </li>
        ))}
      </ul>
      {!found.length && <Empty icon="people" title={t('new.nobody')} />}
    </Dialog>
  );
}
