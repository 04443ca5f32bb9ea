// All that is shown while the page is locked.
import { useEffect, useState } from 'preact/hooks';
import { endSession } from '../api';
import { pauseMs, unlock } from '../lock';
import { t } from '../words';
import { Icon } from './icons';
import { Secret } from './secret';
import { Button, Dialog } from './ui';
import './lock.css';

export function LockedScreen() {
  const [passphrase, setPassphrase] = useState('');
  const [isBusy, setBusy] = useState(false);
  const [isWrong, setWrong] = useState(false);
  const [forgot, setForgot] = useState(false);
  const waits = useCountdown();
  const open = async (event: Event) => {
    event.preventDefault();
    if (isBusy || waits > 0 || !passphrase) return;
    setBusy(true);
    setWrong(false);
    if (!(await unlock(passphrase))) {
      setWrong(true);
      setPassphrase('');
    }
    setBusy(false);
  };
  return (
    <main class="locked">
      <Icon name="shield" size={40} />
      <h1>{t('lock.locked')}</h1>
      <p class="muted">{t('lock.locked_note')}</p>
      <form onSubmit={(event) => void open(event)}>
        <Secret label={t('lock.passphrase')} value={passphrase} onInput={setPassphrase} isFirst />
        <p class="bad" role="alert">
          {isWrong && t('lock.wrong')} {waits > 0 && t('lock.wait', { count: waits })}
        </p>
        <Button type="submit" kind="main" label={t('lock.unlock')} disabled={isBusy || waits > 0} />
      </form>
      <Button kind="quiet" label={t('lock.forgotten')} onClick={() => setForgot(true)} />
      {forgot && (
        <Dialog title={t('lock.forgotten_title')} close={() => setForgot(false)}>
          <p>{t('lock.forgotten_note')}</p>
          <div class="row-end">
            <Button label={t('shell.cancel')} onClick={() => setForgot(false)} />
            <Button label={t('lock.forgotten_do')} kind="bad" onClick={() => void endSession()} />
          </div>
        </Dialog>
      )}
    </main>
  );
}

/** How many seconds the next try has to wait. */
export function useCountdown(): number {
  const seconds = () => Math.ceil(pauseMs() / 1_000);
  const [left, setLeft] = useState(seconds);
  useEffect(() => {
    const timer = setInterval(() => setLeft(seconds()), 250);
    return () => clearInterval(timer);
  }, []);
  return left;
}
