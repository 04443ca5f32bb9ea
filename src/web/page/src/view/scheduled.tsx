// What goes to somebody by itself at a time, and what could not be sent.
import { ask } from '../api';
import type { DraftRow } from '../api.types';
import { inLine, plain } from '../safe';
import { changed, drafts } from '../store';
import { attempt, tell } from '../tell';
import { t, tx } from '../words';
import { Icon } from './icons';
import { isTo } from './talks';
import { Button, Time } from './ui';

export function Scheduled({ who }: { who: string }) {
  const mine = drafts.value.filter((one) => (one.at || one.refused) && one.to.some((to) => isTo(to, who)));
  if (!mine.length) return null;
  return (
    <ul class="scheduled" aria-label={t('scheduled.title')}>
      {mine.map((draft) => (
        <li key={draft.number}>
          <Icon name={draft.refused ? 'warn' : 'clock'} size={16} />
          <span class="cut">
            <b>{draft.refused ? t('scheduled.refused', { why: plain(draft.refused) }) : draft.at && tx('scheduled.at', { at: <Time at={draft.at} /> })}</b>{' '}
            <span dir="auto">{inLine(draft.text, 120)}</span>
          </span>
          <Button label={t('scheduled.now')} kind="quiet" onClick={() => void send(draft)} />
          <Button icon="trash" label={t('scheduled.delete')} isIconOnly kind="quiet" onClick={() => void remove(draft)} />
        </li>
      ))}
    </ul>
  );
}

async function send({ number }: DraftRow): Promise<void> {
  if (await attempt(ask('POST /v1/drafts/{number}/send', { number: String(number) }))) tell(t('scheduled.sent'));
  changed('drafts');
}

async function remove({ number }: DraftRow): Promise<void> {
  await attempt(ask('DELETE /v1/drafts/{number}', { number: String(number) }));
  changed('drafts');
}
