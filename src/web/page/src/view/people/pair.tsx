// Pairing: one side shows a short code, the other types it, and both have each other as verified contacts.

import { useEffect, useState } from 'preact/hooks';
import { ask, follow, isAbort, type CodeRow, type ContactRow, type PairRow } from '../../api';
import { to } from '../../route';
import { changed } from '../../stream';
import { clock } from '../../times';
import { t } from '../../words';
import { useDoing } from '../ask';
import { Qr } from '../qr';
import { SafetyWords } from './card';
import { Copied, Tabs, TextField, Trouble, Waiting } from '../kit';
import { Button, Dialog, Name } from '../ui';

type Side = 'show' | 'type';

export function Pairing({ onClose }: { onClose: () => void }) {
  const [side, setSide] = useState<Side>('show');
  const [paired, setPaired] = useState<ContactRow>();
  const isPaired = (contact: ContactRow) => {
    changed('contacts');
    setPaired(contact);
  };
  return (
    <Dialog title={t('pair.title')} close={onClose}>
      {paired ? (
        <Paired contact={paired} onClose={onClose} />
      ) : (
        <>
          <Tabs
            label={t('pair.side')}
            value={side}
            onChange={setSide}
            options={[
              ['show', t('pair.show')],
              ['type', t('pair.type')],
            ]}
          />
          {side === 'show' ? <Show onPaired={isPaired} /> : <Type onPaired={isPaired} />}
        </>
      )}
    </Dialog>
  );
}

/** Shows a code as long as this stands here; the node ends it when nobody reads any more. */
function Show({ onPaired }: { onPaired: (contact: ContactRow) => void }) {
  const [code, setCode] = useState<CodeRow>();
  const [left, setLeft] = useState<number>();
  const [error, setError] = useState<Error>();
  const [turn, setTurn] = useState(0);
  useEffect(() => {
    const ends = new AbortController();
    setCode(undefined);
    setLeft(undefined);
    setError(undefined);
    void (async () => {
      try {
        for await (const { data } of follow<PairRow>('POST /v1/pair', {}, ends.signal)) {
          if ('code' in data) setCode(data);
          else if ('tries_left' in data) setLeft(data.tries_left);
          else if ('peer_id' in data) onPaired(data);
        }
      } catch (error) {
        if (!isAbort(error) && !ends.signal.aborted) {
          setCode(undefined);
          setError(error as Error);
        }
      }
    })();
    return () => ends.abort();
  }, [turn]);
  if (error) return <Trouble error={error} again={() => setTurn((turn) => turn + 1)} />;
  if (!code) return <Waiting />;
  return (
    <div class="pair-show">
      <p>{t('pair.show_lead')}</p>
      <p class="pair-code">{code.code}</p>
      <Qr text={code.uri} label={t('pair.qr')} />
      <details>
        <summary>{t('pair.as_text')}</summary>
        <Copied text={code.uri} label={t('pair.copy')} />
      </details>
      <p class="dim" role="status">
        {left !== undefined ? t('pair.wrong', { count: left }) : code.expires_at ? t('pair.waits', { at: clock(code.expires_at) }) : t('pair.waits_on')}
      </p>
    </div>
  );
}

function Type({ onPaired }: { onPaired: (contact: ContactRow) => void }) {
  const [code, setCode] = useState('');
  const [at, setAt] = useState('');
  const [name, setName] = useState('');
  const doing = useDoing();
  const join = () =>
    doing.run(async () => {
      const peers = at.trim() ? at.trim().split(/\s+/) : [];
      onPaired(await ask('POST /v1/pair/join', { code: code.trim(), peers, name: name.trim() || null }));
    });
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (code.trim()) void join();
      }}
    >
      <TextField label={t('pair.code')} value={code} onInput={setCode} hint={t('pair.code_hint')} required isFirst />
      <TextField label={t('pair.name')} value={name} onInput={setName} hint={t('pair.name_hint')} />
      <details>
        <summary>{t('pair.far')}</summary>
        <TextField label={t('pair.at')} value={at} onInput={setAt} isCode hint={t('pair.at_hint')} />
      </details>
      {doing.error && <Trouble error={doing.error} />}
      <div class="form-foot">
        <Button label={doing.busy ? t('pair.looking') : t('people.pair')} kind="main" type="submit" disabled={doing.busy || !code.trim()} />
      </div>
    </form>
  );
}

function Paired({ contact, onClose }: { contact: ContactRow; onClose: () => void }) {
  return (
    <div class="pair-done">
      <p class="lead" role="status">
        {t('pair.done')} <b><Name>{contact.name}</Name></b>
      </p>
      <h3>{t('people.their_words')}</h3>
      <SafetyWords words={contact.safety_words} />
      <div class="form-foot">
        <Button label={t('shell.close')} kind="quiet" onClick={onClose} />
        <a class="button main" href={to('talk', [`dak:${contact.peer_id}`])} onClick={onClose}>
          {t('people.write')}
        </a>
      </div>
    </div>
  );
}
