// One contact: who they are, how sure that is, and how messages to them go.

import { useState } from 'preact/hooks';
import { ask, type ContactRow } from '../../api';
import { called } from '../../people';
import { go, to } from '../../route';
import { changed } from '../../stream';
import { span } from '../../times';
import { t } from '../../words';
import { useDoing } from '../ask';
import { SafetyWords } from './card';
import { Chip, Choice, Copied, Form, Section, TextField, Trouble } from '../kit';
import { Avatar, Button, Name } from '../ui';

type Opens = 'rename' | 'share' | 'remove';

export function Person(props: { contact: ContactRow; contacts: readonly ContactRow[]; again: () => void }) {
  const { contact } = props;
  const who = contact.peer_id;
  const [opens, setOpens] = useState<Opens>();
  const doing = useDoing();
  const does = (what: () => Promise<unknown>) =>
    doing.run(async () => {
      await what();
      changed('contacts');
    });
  const close = () => setOpens(undefined);
  const isBlocked = contact.standing === 'blocked';

  return (
    <article class="detail">
      <header class="detail-head">
        <span class="large-avatar"><Avatar name={contact.name} address={contact.address} /></span>
        <div>
          <h2>
            <Name>{contact.name}</Name>
          </h2>
          <p class="chips">
            {contact.verified ? <Chip look="good">{t('people.verified')}</Chip> : <Chip look="warn">{t('people.unverified')}</Chip>}
            {isBlocked && <Chip look="bad">{t('people.blocked')}</Chip>}
            {contact.introduced_by && (
              <Chip>
                {t('people.introduced')} <Name>{called(contact.introduced_by)}</Name>
              </Chip>
            )}
          </p>
        </div>
      </header>
      <div class="detail-actions">
        <a class="button main" href={to('talk', [`dak:${contact.peer_id}`])}>
          {t('people.write')}
        </a>
        <Button label={t('people.rename')} onClick={() => setOpens('rename')} />
        <Button label={t('people.share')} onClick={() => setOpens('share')} />
        <Button label={isBlocked ? t('people.unblock') : t('people.block')} disabled={doing.busy} onClick={() => void does(() => (isBlocked ? ask('POST /v1/contacts/{who}/unblock', { who }) : ask('POST /v1/contacts/{who}/block', { who })))} />
        <Button label={t('people.remove')} kind="bad" onClick={() => setOpens('remove')} />
      </div>
      {doing.error && <Trouble error={doing.error} />}

      <Section title={t('people.safety')} note={contact.verified ? t('people.safety_verified') : t('people.safety_note')}>
        <div class="both-words">
          <div>
            <h3>{t('people.their_words')}</h3>
            <SafetyWords words={contact.safety_words} />
          </div>
          <div>
            <h3>{t('people.my_words')}</h3>
            <SafetyWords words={contact.my_safety_words} />
          </div>
        </div>
        <Button label={contact.verified ? t('people.unverify') : t('people.verify')}
          kind={contact.verified ? 'plain' : 'main'}
          disabled={doing.busy}
          onClick={() => void does(() => ask('POST /v1/contacts/{who}/verify', { who, verified: !contact.verified }))} />
      </Section>

      <Usual key={JSON.stringify(contact.usual)} contact={contact} />

      <Section title={t('people.address')}>
        <Copied text={contact.address} label={t('people.copy_address')} />
      </Section>

      {opens === 'rename' && <Rename contact={contact} onClose={close} />}
      {opens === 'share' && <Share contact={contact} others={props.contacts.filter((one) => one.peer_id !== who && one.standing === 'contact')} onClose={close} />}
      {opens === 'remove' && (
        <Form
          title={t('people.remove_title')}
          lead={t('people.remove_lead')}
          does={t('people.remove')}
          isBad
          doing={doing}
          onDo={() =>
            void does(() => ask('DELETE /v1/contacts/{who}', { who })).then((done) => {
              if (done) go(to('people'));
            })
          }
          close={close}
        />
      )}
    </article>
  );
}

function Rename({ contact, onClose }: { contact: ContactRow; onClose: () => void }) {
  const [name, setName] = useState(contact.name);
  const doing = useDoing();
  const rename = () =>
    doing.run(async () => {
      await ask('POST /v1/contacts/{who}/rename', { who: contact.peer_id, name: name.trim() });
      changed('contacts');
      onClose();
    });
  return (
    <Form title={t('people.rename_title')} lead={t('people.rename_lead')} does={t('kit.save')} doing={doing} isReady={name.trim() !== ''} onDo={() => void rename()} close={onClose}>
      <TextField label={t('people.name')} value={name} onInput={setName} required isFirst />
    </Form>
  );
}

function Share(props: { contact: ContactRow; others: readonly ContactRow[]; onClose: () => void }) {
  const [whom, setWhom] = useState('');
  const [text, setText] = useState('');
  const doing = useDoing();
  const share = () =>
    doing.run(async () => {
      await ask('POST /v1/contacts/{who}/share', { who: props.contact.peer_id, with: whom.trim(), text: text.trim() || null });
      props.onClose();
    });
  return (
    <Form
      title={t('people.share_title')}
      lead={t('people.share_lead')}
      does={t('people.share')}
      doing={doing}
      isReady={whom.trim() !== ''}
      onDo={() => void share()}
      close={props.onClose}
    >
      <TextField label={t('people.share_with')} value={whom} onInput={setWhom} list={props.others.map((one) => one.name)} required isFirst />
      <TextField label={t('people.share_text')} value={text} onInput={setText} lines={2} />
    </Form>
  );
}

const DAY = 86_400_000;
const LIVES = [0, DAY, 3 * DAY, 7 * DAY, 30 * DAY];
const FADES = [0, 3_600_000, DAY, 7 * DAY, 30 * DAY];

/** How messages to this one go where nothing else is said. */
function Usual({ contact }: { contact: ContactRow }) {
  const usual = contact.usual ?? {};
  const doing = useDoing();
  const set = (more: Partial<NonNullable<ContactRow['usual']>>) =>
    void doing.run(async () => {
      const wanted = { ...usual, ...more };
      const kept = Object.fromEntries(Object.entries(wanted).filter(([, value]) => value !== null && value !== undefined));
      await ask('POST /v1/contacts/{who}/usual', { who: contact.peer_id, clear: true, usual: kept });
      changed('contacts');
    });
  const spans = (of: readonly number[], now: number | null | undefined, none: string) => {
    const all = [...new Set([...of, now ?? 0])].sort((a, b) => a - b);
    return all.map((ms) => [String(ms), ms === 0 ? none : span(ms)] as const);
  };
  return (
    <Section title={t('usual.title')} note={t('usual.note')}>
      <div class="fields">
        <Choice
          label={t('usual.priority')}
          value={usual.priority ?? ''}
          options={[
            ['', t('usual.as_everybody')],
            ['urgent', t('usual.urgent')],
            ['normal', t('usual.normal')],
            ['bulk', t('usual.bulk')],
          ]}
          onChange={(priority) => set({ priority: priority || null })}
        />
        <Choice
          label={t('usual.lifetime')}
          value={String(usual.lifetime_ms ?? 0)}
          options={spans(LIVES, usual.lifetime_ms, t('usual.as_everybody'))}
          onChange={(ms) => set({ lifetime_ms: Number(ms) || null })}
        />
        <Choice
          label={t('usual.receipts')}
          value={usual.read_receipts === null || usual.read_receipts === undefined ? '' : String(usual.read_receipts)}
          options={[
            ['', t('usual.as_everybody')],
            ['true', t('usual.yes')],
            ['false', t('usual.no')],
          ]}
          onChange={(value) => set({ read_receipts: value === '' ? null : value === 'true' })}
        />
        <Choice
          label={t('usual.fade')}
          value={String(usual.expire_after_read_ms ?? 0)}
          options={spans(FADES, usual.expire_after_read_ms, t('usual.never'))}
          onChange={(ms) => set({ expire_after_read_ms: Number(ms) || null })}
        />
      </div>
      {doing.error && <Trouble error={doing.error} />}
    </Section>
  );
}
