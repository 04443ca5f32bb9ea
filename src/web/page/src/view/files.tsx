// Files that come or go in parts: how far each is, who holds it, and what can be done about it.
import './files.css';
import { useState } from 'preact/hooks';
import { ask, contentUrl, type TransferRow } from '../api';
import { called, person } from '../people';
import { plain } from '../safe';
import { size } from '../times';
import { number, t } from '../words';
import { useAsked, useDoing } from './ask';
import { Chip, Loaded, Page, Tabs, Trouble } from './kit';
import { Icon } from './icons';
import { Button, Empty, Name, Progress } from './ui';

/** So many are drawn; the newest count. */
const SHOWN_MAX = 200;

type Which = 'all' | 'in' | 'out';

export function Files() {
  const asked = useAsked(() => ask('GET /v1/files'), [], { onEvents: true, of: ['files'] });
  const [which, setWhich] = useState<Which>('all');
  return (
    <Page
      title={t('files.title')}
      lead={t('files.lead')}
      actions={
        <Tabs
          label={t('files.which')}
          value={which}
          onChange={setWhich}
          options={[
            ['all', t('files.all')],
            ['in', t('files.in')],
            ['out', t('files.out')],
          ]}
        />
      }
    >
      <Loaded asked={asked}>
        {(rows) => {
          const shown = [...rows].reverse().filter((row) => which === 'all' || row.direction === which);
          if (shown.length === 0) {
            return (
              <Empty icon="files" title={t('files.none')}>
                {t('files.none_note')}
              </Empty>
            );
          }
          return (
            <>
              <ul class="transfers">
                {shown.slice(0, SHOWN_MAX).map((row) => (
                  <Transfer key={row.id} row={row} again={asked.again} />
                ))}
              </ul>
              {shown.length > SHOWN_MAX && <p class="dim">{t('files.more', { count: shown.length - SHOWN_MAX })}</p>}
            </>
          );
        }}
      </Loaded>
    </Page>
  );
}

const LOOKS: Record<TransferRow['state'], 'plain' | 'good' | 'accent' | 'warn'> = {
  offered: 'warn',
  wanted: 'accent',
  coming: 'accent',
  here: 'good',
  sent: 'good',
  cancelled: 'plain',
};

function Transfer({ row, again }: { row: TransferRow; again: () => void }) {
  const doing = useDoing();
  const does = (what: () => Promise<unknown>) =>
    void doing.run(async () => {
      await what();
      again();
    });
  const comes = row.direction === 'in';
  const far = comes ? row.have_bytes : row.safe_bytes;
  const isOver = row.state === 'cancelled' || (comes ? row.state === 'here' : row.state === 'sent');
  const isPartial = far > 0 && far < row.bytes;
  const name = plain(row.name);
  const who = row.who ?? row.who_address;
  return (
    <li class={`transfer ${row.state}`}>
      <span class={`transfer-sign ${comes ? 'comes' : 'goes'}`}>
        <Icon name={row.folder ? 'archive' : 'files'} size={22} />
      </span>
      <div class="transfer-main">
        <p class="transfer-name">
          <Name>{row.name}</Name>
          <Chip look={LOOKS[row.state]}>{comes || row.state !== 'here' ? t(`files.state_${row.state}`) : t('files.state_going')}</Chip>
        </p>
        <p class="dim">
          {comes ? t('files.from') : t('files.to')} <Name>{called(who)}</Name>
          {row.group && (
            <>
              {' · '}
              <Name>{row.group}</Name>
            </>
          )}
          {' · '}
          {isPartial ? t('files.of', { far: size(far), all: size(row.bytes) }) : size(row.bytes)}
        </p>
        {!isOver && (
          <div class="transfer-bar">
            <Progress part={row.bytes ? far / row.bytes : 0} label={t('files.progress', { name })} />
            <span class="dim">{t('files.percent', { percent: number(Math.floor(row.bytes ? (far / row.bytes) * 100 : 0)) })}</span>
          </div>
        )}
        {(row.members?.length ?? 0) > 0 && (
          <ul class="transfer-members" aria-label={t('files.members')}>
            {row.members?.map((member) => (
              <li key={member.address}>
                <span>
                  <Name>{person(member)}</Name>
                </span>
                <Progress part={row.bytes ? member.safe_bytes / row.bytes : 0} label={t('files.progress_of', { name, who: person(member) })} />
                <span class="dim">{member.state === 'sent' ? t('files.has_it') : t('files.percent', { percent: number(Math.floor(row.bytes ? (member.safe_bytes / row.bytes) * 100 : 0)) })}</span>
              </li>
            ))}
          </ul>
        )}
        {!isOver && (row.held?.length ?? 0) > 0 && (
          <p class="chips">
            <span class="dim">{t('files.held_by')}</span>
            {row.held?.map((held) => (
              <Chip key={held.name} look="accent">
                <Name>{called(held.name)}</Name> {size(held.bytes)}
              </Chip>
            ))}
          </p>
        )}
        {!isOver && (row.too_large_for?.length ?? 0) > 0 && (
          <p class="dim">{t('files.too_large', { names: (row.too_large_for ?? []).map((one) => called(one)).join(', ') })}</p>
        )}
        {doing.error && <Trouble error={doing.error} />}
      </div>
      <div class="transfer-actions">
        {row.state === 'here' && !row.folder && comes && (
          <a class="button" href={contentUrl(row.id)} download={name}>
            <Icon name="download" /> <span>{t('files.save')}</span>
          </a>
        )}
        {row.state === 'here' && row.folder && comes && <p class="dim">{t('files.folder_note')}</p>}
        {comes && (row.state === 'offered' || row.state === 'cancelled') && (
          <Button kind="main" label={t('files.get')} disabled={doing.busy} onClick={() => does(() => ask('POST /v1/files/{id}/get', { id: row.id }))} />
        )}
        {!isOver && row.state !== 'offered' && (
          <Button kind="quiet" icon="close" label={t('files.cancel')} disabled={doing.busy} onClick={() => does(() => ask('POST /v1/files/{id}/cancel', { id: row.id }))} />
        )}
      </div>
    </li>
  );
}
