// People: who has a name here, who is near by without one, and oneself.

import { useState } from 'preact/hooks';
import { ask, type ContactRow, type NearbyRow } from '../api';
import { called } from '../people';
import { to, type Place } from '../route';
import { link, me } from '../store';
import { span } from '../times';
import { t } from '../words';
import { useAsked } from './ask';
import { AddPerson } from './people/add';
import { MyCard } from './people/card';
import { Pairing } from './people/pair';
import { Person } from './people/person';
import { Chip, Loaded, Page, Split } from './kit';
import { Icon } from './icons';
import { Avatar, Button, Empty, Name } from './ui';

/** How long ago somebody was heard grows by itself; who comes and goes is told. */
const LOOK_MS = 60_000;

export function People({ place }: { place: Place }) {
  const contacts = useAsked(() => ask('GET /v1/contacts'), [], { of: ['contacts'], onEvents: true });
  const nearby = useAsked(() => ask('GET /v1/nearby'), [], { everyMs: LOOK_MS, of: ['contacts', 'nearby'] });
  const asked = useAsked(() => ask('GET /v1/me'), []);
  // What was kept of it shows while the node is away.
  const own = asked.value ?? me.value;
  const [adds, setAdds] = useState<{ address: string; name: string }>();
  const [pairs, setPairs] = useState(false);
  const [find, setFind] = useState('');
  const who = place.parts[0];
  const known = new Map((contacts.value ?? []).map((row) => [row.peer_id, row]));
  const strangers = (nearby.value ?? []).filter((row) => !known.has(row.peer_id));
  const near = new Map((nearby.value ?? []).map((row) => [row.peer_id, row]));
  const wanted = find.trim().toLocaleLowerCase();
  const isFound = (row: ContactRow) => row.name.toLocaleLowerCase().includes(wanted);
  const chosen = contacts.value?.find((row) => row.peer_id === who);

  const list = (
    <>
      <a class="row me-row" href={to('people', ['me'])} aria-current={who === 'me' ? 'page' : undefined}>
        {own ? (
          <Avatar name={own.name} address={own.address} />
        ) : (
          <span class="avatar" aria-hidden="true">
            <Icon name="people" size={18} />
          </span>
        )}
        <span class="row-main">
          <span class="row-title">{own ? <Name>{own.name}</Name> : t('people.my_card')}</span>
          <span class="dim">{own ? t('people.my_card') : link.value === 'down' ? t('errors.away') : t('kit.loading')}</span>
        </span>
      </a>
      <Loaded asked={contacts}>
        {(rows) => (
          <>
            {rows.length > 6 && (
              <input
                type="search"
                class="find"
                dir="auto"
                aria-label={t('people.find')}
                placeholder={t('people.find')}
                value={find}
                onInput={(event) => setFind(event.currentTarget.value)}
              />
            )}
            {rows.length === 0 && <Empty icon="people" title={t('people.none')}>{t('people.none_note')}</Empty>}
            <ul class="rows">
              {rows.filter(isFound).map((row) => (
                <li key={row.peer_id}>
                  <a class="row" href={to('people', [row.peer_id])} aria-current={row.peer_id === who ? 'page' : undefined}>
                    <Avatar name={row.name} address={row.address} />
                    <span class="row-main">
                      <span class="row-title">
                        <Name>{row.name}</Name>
                      </span>
                      <Standing row={row} near={near.get(row.peer_id)} />
                    </span>
                    {row.verified && <Chip look="good">{t('people.verified')}</Chip>}
                    {row.standing === 'blocked' && <Chip look="bad">{t('people.blocked')}</Chip>}
                  </a>
                </li>
              ))}
            </ul>
          </>
        )}
      </Loaded>
      {strangers.length > 0 && (
        <>
          <h2 class="list-head">{t('people.nearby')}</h2>
          <p class="dim list-note">{t('people.nearby_note')}</p>
          <ul class="rows">
            {strangers.map((row) => (
              <li key={row.peer_id} class="row">
                <Avatar name={row.nickname ?? '?'} address={`dak:${row.peer_id}`} />
                <span class="row-main">
                  <span class="row-title">
                    <Name>{called(`dak:${row.peer_id}`, row.nickname)}</Name>
                  </span>
                  <span class="dim">{row.connected ? t('people.met') : t('people.heard', { span: span(row.seen_ago_ms ?? 0) })}</span>
                </span>
                <Button label={t('people.add')} onClick={() => setAdds({ address: row.peer_id, name: row.nickname ?? '' })} />
              </li>
            ))}
          </ul>
        </>
      )}
    </>
  );

  const detail =
    who === 'me' ? own ? <MyCard me={own} /> : link.value === 'down' && <Empty icon="people" title={t('errors.away')}>{t('errors.later')}</Empty> : chosen ? <Person key={chosen.peer_id} contact={chosen} contacts={contacts.value ?? []} again={contacts.again} /> : undefined;

  return (
    <Page
      title={t('people.title')}
      actions={
        <>
          <Button label={t('people.add')} icon="plus" onClick={() => setAdds({ address: '', name: '' })} />
          <Button label={t('people.pair')} kind="main" icon="qr" onClick={() => setPairs(true)} />
        </>
      }
    >
      <Split label={t('people.title')} list={list} detail={detail} empty={t('people.choose')} back={to('people')} />
      {adds && <AddPerson {...adds} onClose={() => setAdds(undefined)} />}
      {pairs && <Pairing onClose={() => setPairs(false)} />}
    </Page>
  );
}

function Standing({ row, near }: { row: ContactRow; near: NearbyRow | undefined }) {
  if (near?.connected) return <span class="dim">{t('people.met')}</span>;
  if (near) return <span class="dim">{t('people.heard', { span: span(near.seen_ago_ms ?? 0) })}</span>;
  if (row.introduced_by) {
    return (
      <span class="dim">
        {t('people.introduced')} <Name>{called(row.introduced_by)}</Name>
      </span>
    );
  }
  return <span class="dim">{t('people.away')}</span>;
}
