// The life of one message: what is known of it, when, and by whose word.
import type { State, StatusRow as Status } from '../../api';
import { person } from '../../people';
import { eventWords, moodOf, nextWords } from '../../states';
import { t } from '../../words';
import { Chip } from '../kit';
import { Name, Time } from '../ui';

const LOOKS = { plain: 'plain', way: 'accent', good: 'good', bad: 'bad' } as const;

export function StateChip({ state }: { state: State }) {
  return <Chip look={LOOKS[moodOf(state)]}>{t(`state.${state}`)}</Chip>;
}

export function Life({ row }: { row: Status }) {
  return (
    <div class="map-life">
      <ol class="life">
        {row.events.map((event, n) => (
          <li key={n}>
            <span class="life-at">{event.at ? <Time at={event.at} /> : t('kit.unknown_time')}</span>
            <span class={`life-dot ${moodOf(event.what === 'gave_up' ? 'queued' : event.what)}`}>{eventWords(event, row)}</span>
          </li>
        ))}
      </ol>
      {row.carriers_unlisted > 0 && <p class="dim">{t('life.unlisted', { count: row.carriers_unlisted })}</p>}
      {!!row.members?.length && (
        <ul class="chips">
          {row.members.map((member) => (
            <li key={member.address}>
              <Name>{person(member)}</Name> <StateChip state={member.state} />
            </li>
          ))}
        </ul>
      )}
      <p class="dim">{nextWords(row)}</p>
    </div>
  );
}
