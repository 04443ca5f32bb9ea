// What stands above every screen while something is between this browser and its node.
import { clockAhead, mayBeOff } from '../clock';
import { isForPhones, keeps, startPlace } from '../installed';
import { awaySince } from '../keep';
import { knowsOnlineOnly } from '../settings';
import { link } from '../store';
import { span, whole } from '../times';
import { t, tx } from '../words';
import { Icon } from './icons';
import { Button, Time } from './ui';

export function LinkState() {
  const since = awaySince.value;
  if (link.value === 'down') {
    return (
      <p class="link-state bad" role="status">
        <Icon name="warn" size={16} />
        <span>
          {since ? tx('offline.away_since', { at: <Time at={since} /> }) : t('offline.away')}{' '}
          {t(keeps.value === 'yes' ? 'offline.waits' : 'offline.only_online')}{' '}
          {since && mayBeOff(since) && t('clock.may_be_off', { at: whole(new Date().toISOString()) })}{' '}
          {isForPhones && <a href={startPlace}>{t('clock.compare')}</a>}
        </span>
      </p>
    );
  }
  const ahead = clockAhead.value;
  return (
    <>
      {ahead !== 0 && (
        <p class="link-state warn" role="status">
          <Icon name="warn" size={16} />
          <span>{t(ahead > 0 ? 'clock.ahead' : 'clock.behind', { span: span(Math.abs(ahead)), at: whole(new Date().toISOString()) })}</span>
        </p>
      )}
      {keeps.value === 'untrusted' && !knowsOnlineOnly.value && (
        <p class="link-state warn" role="status">
          <Icon name="info" size={16} />
          <span>
            {t('offline.untrusted_brief')} <a href={startPlace}>{t('offline.how')}</a>
          </span>
          <Button icon="close" label={t('shell.close')} isIconOnly kind="quiet" onClick={() => (knowsOnlineOnly.value = true)} />
        </p>
      )}
    </>
  );
}
