// Looking for words in all conversations.
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, isAbort } from '../api';
import type { SearchRow } from '../api.types';
import { inLine } from '../safe';
import { groupOf, nameOf } from '../store';
import { written } from '../talk';
import { failure } from '../tell';
import { go, to, type Place } from '../route';
import { t } from '../words';
import { Waiting } from './kit';
import { writer } from './talk';
import { Avatar, Empty, rove, Time } from './ui';
import './search.css';

const ROWS = 50;
const PAUSE_MS = 250;

/** A value as a query has it: in quotes where it has blanks. */
function quoted(name: string): string {
  return /[\s"]/.test(name) ? `"${name.replaceAll('"', '')}"` : name;
}

export function Search({ place }: { place: Place }) {
  const within = place.query.get('in');
  const [q, setQ] = useState(() => place.query.get('q') ?? (within ? `in:${quoted(groupOf(within)?.name ?? nameOf(within))} ` : ''));
  const [found, setFound] = useState<SearchRow[] | null>(null);
  const [error, setError] = useState<string | null>(null);
  const [isBusy, setBusy] = useState(false);
  const list = useRef<HTMLUListElement>(null);
  const wanted = q.trim();
  // Where to look says nothing of what for.
  const isWanted = wanted !== '' && !/^in:("[^"]*"?|\S*)$/.test(wanted);
  useEffect(() => {
    if (!isWanted) {
      setFound(null);
      setError(null);
      return;
    }
    const ended = new AbortController();
    const timer = setTimeout(() => {
      setBusy(true);
      go(to('search', [], { q: wanted }), 'replace');
      ask('GET /v1/search', { q: wanted, limit: ROWS }, ended.signal).then(
        (rows) => {
          setFound(rows);
          setError(null);
          setBusy(false);
        },
        (why: unknown) => {
          if (isAbort(why)) return;
          setError(failure(why));
          setBusy(false);
        },
      );
    }, PAUSE_MS);
    return () => {
      clearTimeout(timer);
      ended.abort();
    };
  }, [q]);
  return (
    <div class="screen">
      <div class="screen-in">
        <header class="screen-head search-head">
          <h1 class="unseen">{t('screen.search')}</h1>
          <input
            type="search"
            dir="auto"
            ref={(input) => {
              if (input && !input.dataset['seen']) {
                input.dataset['seen'] = '1';
                input.focus();
                input.setSelectionRange(input.value.length, input.value.length);
              }
            }}
            aria-label={t('search.field')}
            placeholder={t('search.field')}
            value={q}
            onInput={(event) => setQ(event.currentTarget.value)}
            onKeyDown={(event) => {
              if (event.key === 'ArrowDown') {
                event.preventDefault();
                list.current?.querySelector('a')?.focus();
              }
            }}
          />
        </header>
        <p class="unseen" role="status">
          {found && !isBusy ? t('search.count', { count: found.length }) : ''}
        </p>
        {error && <p class="warn">{error}</p>}
        {!found && !error && isWanted && <Waiting />}
        {!found && !error && !isWanted && (
          <Empty icon="search" title={t('search.hint')}>
            <ul class="search-hints">
              {(['words', 'phrase', 'from', 'when', 'file', 'unread'] as const).map((key) => (
                <li key={key}>
                  <code>{t(`search.${key}_query`)}</code> <span>{t(`search.${key}`)}</span>
                </li>
              ))}
            </ul>
          </Empty>
        )}
        {found?.length === 0 && <Empty icon="search" title={t('search.nothing')} />}
        <ul class="found" ref={list} onKeyDown={(event) => void rove(event, list.current, 'a')}>
          {found?.map((row) => {
            const at = written(row);
            const name = nameOf(row.conversation);
            return (
              <li key={row.id}>
                <a class="talk-row" href={to('talk', [row.conversation], { at: row.id })}>
                  <Avatar name={name} address={row.conversation} isGroup={groupOf(row.conversation) !== null} />
                  <span class="talk-words">
                    <span class="talk-line">
                      <bdi class="talk-name cut">{name}</bdi>
                      <span class="talk-signs talk-at">{at && <Time at={at} />}</span>
                    </span>
                    <span class="found-text" dir="auto">
                      <b>{writer(row)}</b>{' '}
                      {inLine(row.text ?? row.subject ?? '', 240)}
                      {row.files.length > 0 && <span class="muted"> {t('talk.with_files', { count: row.files.length })}</span>}
                    </span>
                  </span>
                </a>
              </li>
            );
          })}
        </ul>
      </div>
    </div>
  );
}
