// The passphrase of this browser: set, changed, removed; and when the page locks by itself.
import { useState } from 'preact/hooks';
import { renewSession } from '../api';
import { canLock, IDLE_MINUTES, idleMinutes, lock, lockNow, PASSPHRASE_MIN, removePassphrase, setIdle, setPassphrase } from '../lock';
import { tell } from '../tell';
import { t } from '../words';
import { useDoing } from './ask';
import { Choice, Section, Trouble } from './kit';
import { useCountdown } from './locked';
import { Secret } from './secret';
import { Button, Dialog } from './ui';

type Asks = 'set' | 'change' | 'remove';

export function LockSettings() {
  const [asks, setAsks] = useState<Asks | null>(null);
  const isSet = lock.value === 'open';
  return (
    <Section title={t('lock.title')} note={canLock ? t('lock.note') : t('lock.cannot')}>
      {canLock && !isSet && (
        <>
          <p class="dim">{t('lock.none')}</p>
          <div class="detail-actions">
            <Button label={t('lock.set')} onClick={() => setAsks('set')} />
          </div>
        </>
      )}
      {isSet && (
        <>
          <div class="fields">
            <Choice
              label={t('lock.idle')}
              value={String(idleMinutes.value)}
              options={IDLE_MINUTES.map((count): [string, string] => [String(count), t('lock.minutes', { count })])}
              onChange={(value) => setIdle(Number(value))}
            />
          </div>
          <div class="detail-actions">
            <Button label={t('lock.now')} kind="main" onClick={() => void lockNow()} />
            <Button label={t('lock.change')} onClick={() => setAsks('change')} />
            <Button label={t('lock.remove')} onClick={() => setAsks('remove')} />
          </div>
        </>
      )}
      {asks && <Ask what={asks} close={() => setAsks(null)} />}
    </Section>
  );
}

const DONE = { set: 'lock.is_set', change: 'lock.changed', remove: 'lock.removed' } as const;

function Ask({ what, close }: { what: Asks; close: () => void }) {
  const [present, setPresent] = useState('');
  const [first, setFirst] = useState('');
  const [again, setAgain] = useState('');
  const [why, setWhy] = useState<string | null>(null);
  const doing = useDoing();
  const waits = useCountdown();
  const does = async (event: Event) => {
    event.preventDefault();
    doing.clear();
    setWhy(null);
    if (what !== 'remove') {
      if ([...first].length < PASSPHRASE_MIN) return setWhy(t('lock.too_short', { count: PASSPHRASE_MIN }));
      if (first !== again) return setWhy(t('lock.differ'));
    }
    const done = await doing.run(async () => {
      const isDone = what === 'remove' ? await removePassphrase(present) : await setPassphrase(first, what === 'set' ? null : present, renewSession);
      if (!isDone) return setWhy(t('lock.wrong'));
      close();
      tell(t(DONE[what]));
    });
    if (done) setPresent('');
  };
  return (
    <Dialog title={t(`lock.${what}`)} close={close}>
      <form class="stack" onSubmit={(event) => void does(event)}>
        {what !== 'set' && <Secret label={t('lock.present')} value={present} onInput={setPresent} isFirst />}
        {what !== 'remove' && (
          <>
            <Secret
              label={t(what === 'set' ? 'lock.passphrase' : 'lock.new')}
              value={first}
              onInput={setFirst}
              isFirst={what === 'set'}
              hint={t('lock.passphrase_hint', { count: PASSPHRASE_MIN })}
              isNew
            />
            <Secret label={t('lock.again')} value={again} onInput={setAgain} isNew />
          </>
        )}
        {(why || waits > 0) && (
          <p class="bad" role="alert">
            {why} {waits > 0 && t('lock.wait', { count: waits })}
          </p>
        )}
        {doing.error && <Trouble error={doing.error} />}
        <div class="row-end">
          <Button label={t('shell.cancel')} onClick={close} />
          <Button type="submit" kind={what === 'remove' ? 'bad' : 'main'} label={t(`lock.${what}`)} disabled={doing.busy || (what !== 'set' && waits > 0)} />
        </div>
      </form>
    </Dialog>
  );
}
