// Groups: those one is in, and those one is asked to join.
import { useState } from 'preact/hooks';
import { ask, type GroupRow, type MemberRow } from '../api';
import { person } from '../people';
import { go, to, type Place } from '../route';
import { changed } from '../stream';
import { t } from '../words';
import { useAsked, useDoing } from './ask';
import { Chip, Form, Loaded, Page, Section, Split, TextField, Tick, Trouble } from './kit';
import { Avatar, Button, Empty, Menu, Name, Time } from './ui';

export function Groups({ place }: { place: Place }) {
  const asked = useAsked(() => ask('GET /v1/groups'), [], { onEvents: true, of: ['groups'] });
  const [isMaking, setMaking] = useState(false);
  const address = place.parts[0];
  const chosen = asked.value?.find((row) => row.address === address);
  const list = (
    <Loaded asked={asked}>
      {(rows) => (
        <>
          {rows.length === 0 && (
            <Empty icon="groups" title={t('groups.none')}>
              {t('groups.none_note')}
            </Empty>
          )}
          <ul class="rows">
            {[...rows].sort((a, b) => order(a) - order(b)).map((row) => (
              <li key={row.address}>
                <a class="row" href={to('groups', [row.address])} aria-current={row.address === address ? 'page' : undefined}>
                  <Avatar name={row.name} address={row.address} isGroup />
                  <span class="row-main">
                    <span class="row-title">
                      <Name>{row.name}</Name>
                    </span>
                    <span class="dim">{t('groups.members_count', { count: row.members })}</span>
                  </span>
                  <Standing row={row} />
                </a>
              </li>
            ))}
          </ul>
        </>
      )}
    </Loaded>
  );
  return (
    <Page title={t('groups.title')} actions={<Button kind="main" icon="plus" label={t('groups.new')} onClick={() => setMaking(true)} />}>
      <Split
        label={t('groups.title')}
        list={list}
        detail={chosen && <Group key={chosen.address} group={chosen} again={asked.again} />}
        empty={t('groups.choose')}
        back={to('groups')}
      />
      {isMaking && <NewGroup close={() => setMaking(false)} />}
    </Page>
  );
}

function order(row: GroupRow): number {
  return { invited: 0, joined: 1, out: 2 }[row.standing];
}

function Standing({ row }: { row: GroupRow }) {
  if (row.standing === 'invited') return <Chip look="warn">{t('groups.invited')}</Chip>;
  if (row.standing === 'out') return <Chip>{t('groups.out')}</Chip>;
  return row.role === 'owner' ? <Chip look="accent">{t('groups.owner')}</Chip> : null;
}

type Opens = 'invite' | 'rename' | 'leave' | { remove: MemberRow };

function Group({ group, again }: { group: GroupRow; again: () => void }) {
  const name = group.name;
  const isIn = group.standing === 'joined';
  const isOwner = isIn && group.role === 'owner';
  const members = useAsked(() => ask('GET /v1/groups/{group}/members', { group: group.address }), [group.address, group.standing], {
    onEvents: true,
    of: ['groups'],
  });
  const [opens, setOpens] = useState<Opens>();
  const doing = useDoing();
  const does = (what: () => Promise<unknown>) =>
    doing.run(async () => {
      await what();
      changed('groups');
      again();
      setOpens(undefined);
    });
  const close = () => setOpens(undefined);

  return (
    <article class="detail">
      <header class="detail-head">
        <span class="large-avatar">
          <Avatar name={name} address={group.address} isGroup />
        </span>
        <div>
          <h2>
            <Name>{name}</Name>
          </h2>
          <p class="dim">
            {group.founder && (
              <>
                {t('groups.founder')} <Name>{person(group.founder)}</Name>
              </>
            )}
            {group.since && (
              <>
                {' · '}
                <Time at={group.since} />
              </>
            )}
          </p>
        </div>
      </header>
      {group.standing === 'invited' && (
        <div class="callout">
          <p>
            {group.invited_by ? (
              <>
                <Name>{person(group.invited_by)}</Name> {t('groups.invites_you')}
              </>
            ) : (
              t('groups.you_are_invited')
            )}
          </p>
          <div class="detail-actions">
            <Button kind="main" label={t('groups.join')} disabled={doing.busy} onClick={() => void does(() => ask('POST /v1/groups/{group}/join', { group: group.address }))} />
            <Button label={t('groups.decline')} disabled={doing.busy} onClick={() => setOpens('leave')} />
          </div>
        </div>
      )}
      {isIn && (
        <div class="detail-actions">
          <a class="button main" href={to('talk', [group.address])}>
            {t('groups.open')}
          </a>
          {isOwner && <Button icon="plus" label={t('groups.invite')} onClick={() => setOpens('invite')} />}
          {isOwner && <Button label={t('groups.rename')} onClick={() => setOpens('rename')} />}
          <Button kind="bad" label={t('groups.leave')} onClick={() => setOpens('leave')} />
        </div>
      )}
      {group.standing === 'out' && <p class="callout">{t('groups.out_note')}</p>}
      {doing.error && !opens && <Trouble error={doing.error} />}
      <Section title={t('groups.members')}>
        <Loaded asked={members}>
          {(rows) => (
            <ul class="rows flat">
              {rows.map((row) => (
                <li key={row.address} class="row">
                  <Avatar name={person(row)} address={row.address} />
                  <span class="row-main">
                    <span class="row-title">{row.me ? t('names.me') : <Name>{person(row)}</Name>}</span>
                    {row.since && (
                      <span class="dim">
                        {t('groups.since')} <Time at={row.since} />
                      </span>
                    )}
                  </span>
                  <Chip look={row.role === 'owner' ? 'accent' : row.role === 'invited' ? 'warn' : 'plain'}>{t(`groups.role_${row.role}`)}</Chip>
                  {isOwner && !row.me && (
                    <Menu
                      label={t('groups.member_menu', { name: person(row) })}
                      items={() => [
                        row.role === 'member'
                          ? { icon: 'shield', label: t('groups.make_owner'), does: () => void does(() => owner(group, row, true)) }
                          : row.role === 'owner'
                            ? { icon: 'shield', label: t('groups.make_member'), does: () => void does(() => owner(group, row, false)) }
                            : null,
                        { icon: 'trash', label: t('groups.remove'), isBad: true, does: () => setOpens({ remove: row }) },
                      ]}
                    />
                  )}
                </li>
              ))}
            </ul>
          )}
        </Loaded>
      </Section>
      {opens === 'invite' && <Invite group={group} members={members.value ?? []} close={close} />}
      {opens === 'rename' && <Rename group={group} close={close} />}
      {opens === 'leave' && (
        <Form
          title={isIn ? t('groups.leave_title') : t('groups.decline_title')}
          lead={isIn ? t('groups.leave_lead') : t('groups.decline_lead')}
          does={isIn ? t('groups.leave') : t('groups.decline')}
          isBad
          doing={doing}
          onDo={() => void does(() => ask('POST /v1/groups/{group}/leave', { group: group.address }))}
          close={close}
        />
      )}
      {typeof opens === 'object' && (
        <Form
          title={t('groups.remove_title', { name: person(opens.remove) })}
          lead={t('groups.remove_lead')}
          does={t('groups.remove')}
          isBad
          doing={doing}
          onDo={() => void does(() => ask('POST /v1/groups/{group}/remove', { group: group.address, who: opens.remove.address }))}
          close={close}
        />
      )}
    </article>
  );
}

function owner(group: GroupRow, row: MemberRow, isOwner: boolean): Promise<unknown> {
  return ask('POST /v1/groups/{group}/owner', { group: group.address, who: row.address, owner: isOwner });
}

/** Contacts, some of whom are ticked. */
function Choose({ except, chosen, onChoose }: { except: readonly string[]; chosen: readonly string[]; onChoose: (chosen: string[]) => void }) {
  const contacts = useAsked(() => ask('GET /v1/contacts'), [], { of: ['contacts'] });
  return (
    <fieldset class="choose">
      <legend>{t('groups.who')}</legend>
      <Loaded asked={contacts}>
        {(rows) => {
          const open = rows.filter((row) => row.standing === 'contact' && !except.some((address) => address.includes(row.peer_id)));
          if (open.length === 0) return <p class="dim">{t('groups.nobody_left')}</p>;
          return (
            <div class="choose-list">
              {open.map((row) => (
                <Tick
                  key={row.peer_id}
                  label={person(row)}
                  checked={chosen.includes(row.address)}
                  onChange={(isOn) => onChoose(isOn ? [...chosen, row.address] : chosen.filter((one) => one !== row.address))}
                />
              ))}
            </div>
          );
        }}
      </Loaded>
    </fieldset>
  );
}

function NewGroup({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const [people, setPeople] = useState<string[]>([]);
  const doing = useDoing();
  const make = () =>
    doing.run(async () => {
      const group = await ask('POST /v1/groups', { name: name.trim(), with: people });
      changed('groups');
      close();
      go(to('groups', [group.address]));
    });
  return (
    <Form title={t('groups.new')} lead={t('groups.new_lead')} does={t('groups.make')} doing={doing} isReady={name.trim() !== ''} onDo={() => void make()} close={close}>
      <TextField label={t('groups.name')} value={name} onInput={setName} required isFirst />
      <Choose except={[]} chosen={people} onChoose={setPeople} />
    </Form>
  );
}

function Invite({ group, members, close }: { group: GroupRow; members: readonly MemberRow[]; close: () => void }) {
  const [people, setPeople] = useState<string[]>([]);
  const [fromStart, setFromStart] = useState(false);
  const doing = useDoing();
  const invite = () =>
    doing.run(async () => {
      await ask('POST /v1/groups/{group}/invite', { group: group.address, who: people, from_start: fromStart });
      changed('groups');
      close();
    });
  return (
    <Form title={t('groups.invite_title')} does={t('groups.invite')} doing={doing} isReady={people.length > 0} onDo={() => void invite()} close={close}>
      <Choose except={members.map((row) => row.address)} chosen={people} onChoose={setPeople} />
      <Tick label={t('groups.from_start')} checked={fromStart} onChange={setFromStart} hint={t('groups.from_start_hint')} />
    </Form>
  );
}

function Rename({ group, close }: { group: GroupRow; close: () => void }) {
  const [name, setName] = useState(group.name);
  const doing = useDoing();
  const rename = () =>
    doing.run(async () => {
      await ask('POST /v1/groups/{group}/rename', { group: group.address, name: name.trim() });
      changed('groups');
      close();
    });
  return (
    <Form title={t('groups.rename')} lead={t('groups.rename_lead')} does={t('kit.save')} doing={doing} isReady={name.trim() !== ''} onDo={() => void rename()} close={close}>
      <TextField label={t('groups.name')} value={name} onInput={setName} required isFirst />
    </Form>
  );
}
