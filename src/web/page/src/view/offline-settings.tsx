// Whether the page goes on where the node is out of reach, and what this browser keeps for that.
import { keeps, offer, startPlace } from '../installed';
import { waiting } from '../outbox';
import { t } from '../words';
import { Section } from './kit';
import { Button } from './ui';

export function OfflineSettings() {
  const how = keeps.value;
  const many = waiting.value.length;
  return (
    <Section title={t('offline.title')} note={t(`offline.${how}`)}>
      {how === 'yes' ? (
        <p class="dim">
          {t('offline.sealed')} {t('offline.revoked')}
        </p>
      ) : (
        how !== 'unknown' && (
          <p class="dim">
            {t('offline.only_online')} {how === 'untrusted' && <a href={startPlace}>{t('offline.how')}</a>}
          </p>
        )
      )}
      {many > 0 && <p>{t('offline.waiting', { count: many })}</p>}
      {offer.value && (
        <div class="detail-actions">
          <Button label={t('offline.install')} kind="main" onClick={() => void offer.value?.prompt()} />
        </div>
      )}
    </Section>
  );
}
