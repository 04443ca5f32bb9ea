// One conversation: what was said in it, both sides, and where one writes.
import { useComputed, useSignal } from '@preact/signals';
import { useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ask } from '../api';
import type { TalkRow } from '../api.types';
import { hasFiles } from '../drop';
import { hasModifier, isWriting } from '../keys';
import { person } from '../people';
import { inLine } from '../safe';
import { contactOf, groupOf, isNear, nameOf, talks } from '../store';
import { OpenTalk, written } from '../talk';
import { failure } from '../tell';
import { dayKey, dayName } from '../times';
import { go, to } from '../route';
import { t } from '../words';
import { Compose, type ComposeHandle } from './compose';
import { Scheduled } from './scheduled';
import { Icon } from './icons';
import { Waiting } from './kit';
import { Members } from './members';
import { Message } from './message';
import { talkItems } from './talks';
import { Waits } from './waits';
import { Avatar, Button, Empty, Menu, Time } from './ui';
import './talk.css';

/** What one writer says within so long stands together. */
const RUN_MS = 5 * 60_000;

export function Talk({ who, at, thread }: { who: string; at: string | undefined; thread: string | undefined }) {
  const isAsking = useSignal(false);
  const group = groupOf(who);
  return (
    <div class={`talk-place${thread ? ' has-thread' : ''}`}>
      <section class="talk" aria-label={t('talk.with', { name: nameOf(who) })}>
        <TalkHead who={who} onMembers={() => (isAsking.value = true)} />
        <Said who={who} at={at} />
      </section>
      {thread && (
        <aside class="talk thread-pane" aria-label={t('thread.title')} key={thread}>
          <header class="talk-head">
            <Button icon="close" label={t('thread.close')} isIconOnly kind="quiet" onClick={() => go(to('talk', [who]))} />
            <div class="talk-title">
              <h2>{t('thread.title')}</h2>
              <p class="muted cut">{nameOf(who)}</p>
            </div>
          </header>
          <Said who={who} at={undefined} thread={thread} />
        </aside>
      )}
      {isAsking.value && group && <Members group={group} close={() => (isAsking.value = false)} />}
    </div>
  );
}

function TalkHead({ who, onMembers }: { who: string; onMembers: () => void }) {
  const name = nameOf(who);
  const group = groupOf(who);
  const contact = contactOf(who);
  const row = talks.value?.find((one) => one.conversation === who);
  const near = isNear(who);
  return (
    <header class="talk-head">
      <Button class="only-narrow" icon="back" label={t('shell.back')} isIconOnly kind="quiet" onClick={() => go(to('talk'))} />
      <Avatar name={name} address={who} isGroup={!!group} isNear={near} />
      <div class="talk-title">
        <h1 class="cut">
          <bdi>{name}</bdi>
        </h1>
        <p class="talk-facts muted">
          {group ? (
            <button type="button" class="as-link" onClick={onMembers}>
              {t('talk.members', { count: group.members })}
            </button>
          ) : (
            <>
              {contact?.verified && (
                <span class="good fact">
                  <Icon name="shield" size={14} /> {t('talk.verified')}
                </span>
              )}
              {!contact && <span class="warn">{t('talk.stranger')}</span>}
              {near && <span>{t('talk.near')}</span>}
            </>
          )}
          {row?.muted && <span>{t('talk.muted')}</span>}
        </p>
      </div>
      <Button icon="search" label={t('talk.search')} isIconOnly kind="quiet" onClick={() => go(to('search', [], { in: who }))} />
      <Menu
        label={t('talks.menu', { name })}
        items={() => [
          ...(group ? [{ icon: 'groups' as const, label: t('talk.show_members'), does: onMembers }] : []),
          ...(row ? talkItems(row) : []),
        ]}
      />
    </header>
  );
}

/** A row with what stands above it. */
interface Shown {
  row: TalkRow;
  day: string | null;
  isUnread: boolean;
  startsRun: boolean;
  endsRun: boolean;
}

function laid(rows: TalkRow[], firstUnread: string | null): Shown[] {
  const shown: Shown[] = [];
  let before: Shown | undefined;
  for (const row of rows) {
    const at = written(row);
    const day = at && (!before || dayKey(at) !== dayKey(written(before.row) ?? at)) ? at : null;
    const isUnread = row.id === firstUnread;
    const joins = before && !day && !isUnread && isOneRun(before.row, row);
    if (before && !joins) before.endsRun = true;
    before = { row, day, isUnread, startsRun: !joins, endsRun: false };
    shown.push(before);
  }
  if (before) before.endsRun = true;
  return shown;
}

function isOneRun(one: TalkRow, next: TalkRow): boolean {
  if (one.kind === 'group' || one.kind === 'app') return false;
  if (next.kind === 'group' || next.kind === 'app' || one.mine !== next.mine) return false;
  if (one.from.address !== next.from.address) return false;
  return Math.abs(Date.parse(written(next) ?? '') - Date.parse(written(one) ?? '')) < RUN_MS;
}

/** The messages and the field below them; `thread` narrows both to one thread. */
function Said({ who, at, thread }: { who: string; at: string | undefined; thread?: string }) {
  const talk = useMemo(() => new OpenTalk(who, thread ?? null), [who, thread]);
  useEffect(() => () => talk.end(), [talk]);
  useEffect(() => {
    void talk.open(at);
  }, [talk, at]);
  const compose = useRef<ComposeHandle>(null);
  const isGroup = groupOf(who) !== null;
  const current = useSignal<string | null>(null);
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useComputed(() => laid(talk.rows.value, talk.firstUnread.value));
  const isDropping = useDrop(scroller, compose);
  const place = useScroll(scroller, talk);
  useMarking(scroller, talk);

  const jump = useCallback(
    (id: string) => {
      const row = talk.rows.value.find((one) => one.id.startsWith(id));
      if (row) show(scroller.current, row.id);
      else go(to('talk', [who], { at: id }));
    },
    [talk, who],
  );
  const acts = useMemo(
    () => ({
      reply: (row: TalkRow) => compose.current?.reply(row),
      edit: (row: TalkRow) => compose.current?.edit(row),
      thread: (row: TalkRow) => go(to('talk', [who], { thread: threadRoot(row, talk.rows.value) })),
      jump,
    }),
    [talk, who, jump],
  );

  const keys = (event: KeyboardEvent) => {
    if (isWriting(event) || hasModifier(event)) return;
    const all = [...(scroller.current?.querySelectorAll<HTMLElement>('article') ?? [])];
    const here = all.findIndex((one) => one === document.activeElement);
    const row = talk.rows.value.find((one) => one.id === all[here]?.dataset['id']);
    const step = { ArrowUp: -1, k: -1, ArrowDown: 1, j: 1 }[event.key];
    if (step) {
      all[Math.max(0, Math.min(here < 0 ? all.length - 1 : here + step, all.length - 1))]?.focus();
      if (here === 0 && step < 0) void talk.older();
    } else if (event.key === 'Home') all[0]?.focus();
    else if (event.key === 'End') void place.toEnd().then(() => scroller.current?.querySelector<HTMLElement>('li:last-child article')?.focus());
    else if (event.key === 'c' || event.key === 'Escape') compose.current?.focus();
    else if (row && event.key === 'r') acts.reply(row);
    else if (row && event.key === 't') acts.thread(row);
    else if (row && event.key === 'e' && row.mine) acts.edit(row);
    else if (row && (event.key === 'Enter' || event.key === '+') && document.activeElement === all[here]) {
      all[here]?.querySelector<HTMLButtonElement>(event.key === '+' ? '.react-button' : '.message-menu button')?.click();
    } else return;
    event.preventDefault();
  };

  const pending = useSignal<{ key: number; text: string; files: number }[]>([]);
  const rows = shown.value;
  const stop = current.value ?? rows.at(-1)?.row.id;
  return (
    <>
      <div class="said" ref={scroller} onScroll={place.onScroll} onKeyDown={keys} tabIndex={rows.length ? -1 : 0}>
        {talk.failed.value !== null && (
          <p class="said-fact bad" role="alert">
            {failure(talk.failed.value)}
          </p>
        )}
        {!talk.hasOlder.value && talk.isLoaded.value && rows.length > 0 && !thread && <p class="said-fact muted">{t('talk.beginning')}</p>}
        <ol
          class="messages"
          onFocusIn={(event) => {
            const id = (event.target as Element).closest('article')?.dataset['id'];
            if (id) current.value = id;
          }}
        >
          {rows.map(({ row, day, isUnread, startsRun, endsRun }) => (
            <li key={row.id} id={`m-${row.id}`}>
              {day && (
                <p class="day">
                  <Time at={day} show={dayName} />
                </p>
              )}
              {isUnread && <p class="unread-line">{t('talk.unread_from_here')}</p>}
              <Message
                row={row}
                status={talk.states.value.get(row.id)}
                isGroup={isGroup}
                startsRun={startsRun}
                endsRun={endsRun}
                isStop={row.id === stop}
                isTarget={row.id === talk.target.value}
                answers={thread ? 0 : (row.replies ?? 0)}
                isInThread={!!thread}
                acts={acts}
              />
            </li>
          ))}
          {pending.value.map((one) => (
            <li key={`p${one.key}`}>
              <div class="message mine">
                <div class="bubble pending">
                  <div class="prose" dir="auto">
                    {inLine(one.text, 400)}
                    {one.files > 0 && t('talk.with_files', { count: one.files })}
                  </div>
                </div>
                <p class="state">{t('talk.sending')}</p>
              </div>
            </li>
          ))}
        </ol>
        <Waits who={who} thread={thread} write={(text) => compose.current?.write(text)} />
        {!talk.isLoaded.value && <Waiting />}
        {talk.isLoaded.value && !rows.length && talk.failed.value === null && (
          <Empty icon="talk" title={t('talk.nothing')}>
            {t('talk.nothing_more', { name: nameOf(who) })}
          </Empty>
        )}
      </div>
      {place.isAway.value && (
        <button type="button" class="to-end" onClick={() => void place.toEnd()}>
          <Icon name="down" size={18} />
          {place.fresh.value > 0 ? t('talk.new_below', { count: place.fresh.value }) : t('talk.to_end')}
        </button>
      )}
      {isDropping && (
        <div class="drop-here" aria-hidden="true">
          <Icon name="attach" size={28} />
          <p>{t('compose.drop')}</p>
        </div>
      )}
      {!thread && <Scheduled who={who} />}
      <Compose
        handle={compose}
        who={who}
        thread={thread ?? null}
        lastMine={() => talk.rows.value.findLast((row) => row.mine && row.kind === 'text' && row.text !== null)}
        onPending={(text, files) => {
          const key = Date.now() + Math.random();
          pending.value = [...pending.value, { key, text, files }];
          void place.toEnd();
          return async (isThere) => {
            if (isThere) await talk.renewEnd();
            pending.value = pending.value.filter((one) => one.key !== key);
            void place.toEnd();
          };
        }}
        onUp={() => scroller.current?.querySelector<HTMLElement>('li:last-of-type article')?.focus()}
      />
    </>
  );
}

/** The whole id of the first message of a row's thread, as far as it is here. */
function threadRoot(row: TalkRow, rows: TalkRow[]): string {
  if (!row.thread) return row.id;
  return rows.find((one) => one.id.startsWith(row.thread!))?.id ?? row.thread;
}

function show(box: HTMLElement | null, id: string, block: ScrollLogicalPosition = 'center'): void {
  const message = box?.querySelector<HTMLElement>(`#m-${CSS.escape(id)}`);
  if (!message) return;
  message.scrollIntoView({ block });
  const article = message.querySelector<HTMLElement>('article');
  article?.focus({ preventScroll: true });
  article?.classList.remove('flash');
  requestAnimationFrame(() => article?.classList.add('flash'));
}

/**
 * Keeps the reader's place: at the end while they are there, else at the message that they look at, whatever grows or is
 * dropped above it. Fetches what comes into reach.
 */
function useScroll(scroller: { current: HTMLDivElement | null }, talk: OpenTalk) {
  const isAway = useSignal(false);
  const fresh = useSignal(0);
  const state = useRef({ isAtEnd: true, anchor: null as { id: string; top: number } | null, isPlaced: false, last: '' });

  const note = () => {
    const box = scroller.current;
    if (!box) return;
    const left = box.scrollHeight - box.scrollTop - box.clientHeight;
    state.current.isAtEnd = left < 60 && !talk.hasNewer.value;
    isAway.value = left > 400 || talk.hasNewer.value;
    if (!isAway.value) fresh.value = 0;
    state.current.anchor = null;
    const top = box.getBoundingClientRect().top;
    for (const item of box.querySelectorAll<HTMLElement>('.messages > li[id]')) {
      const rect = item.getBoundingClientRect();
      if (rect.bottom > top + 8) {
        state.current.anchor = { id: item.id, top: rect.top - top };
        break;
      }
    }
  };
  const keep = () => {
    const box = scroller.current;
    if (!box) return;
    if (state.current.isAtEnd) box.scrollTop = box.scrollHeight;
    else if (state.current.anchor) {
      const item = box.querySelector(`#${CSS.escape(state.current.anchor.id)}`);
      if (item) box.scrollTop += item.getBoundingClientRect().top - box.getBoundingClientRect().top - state.current.anchor.top;
    }
  };
  const fetchMore = () => {
    const box = scroller.current;
    if (!box || !state.current.isPlaced) return;
    if (box.scrollTop < 900) void talk.older();
    if (box.scrollHeight - box.scrollTop - box.clientHeight < 900) void talk.newer();
  };
  const onScroll = () => {
    note();
    fetchMore();
  };

  const rows = talk.rows.value;
  useLayoutEffect(() => {
    const box = scroller.current;
    if (!box || !rows.length) return;
    const last = rows.at(-1)!.id;
    if (!state.current.isPlaced) {
      state.current.isPlaced = true;
      const unread = box.querySelector<HTMLElement>('.unread-line');
      if (talk.target.value) {
        state.current.isAtEnd = false;
        show(box, talk.target.value);
      } else if (unread) {
        box.scrollTop += unread.getBoundingClientRect().top - box.getBoundingClientRect().top - box.clientHeight / 4;
      } else box.scrollTop = box.scrollHeight;
    } else if (talk.target.value && state.current.last && !rows.some((row) => row.id === state.current.last)) {
      show(box, talk.target.value);
    } else {
      const was = rows.findIndex((row) => row.id === state.current.last);
      if (!state.current.isAtEnd && was >= 0 && was < rows.length - 1 && !talk.hasNewer.value) fresh.value += rows.length - 1 - was;
      keep();
    }
    state.current.last = last;
    note();
    fetchMore();
  }, [rows]);

  // A picture that was loaded, a field that grew, a keyboard that came up: the place stays.
  useEffect(() => {
    const box = scroller.current;
    const inner = box?.querySelector('.messages');
    if (!box || !inner) return;
    const watch = new ResizeObserver(() => keep());
    watch.observe(box);
    watch.observe(inner);
    return () => watch.disconnect();
  }, []);

  const toEnd = async () => {
    await talk.toEnd();
    state.current.isAtEnd = true;
    requestAnimationFrame(() => {
      keep();
      note();
    });
  };
  return { onScroll, toEnd, isAway, fresh };
}

/** Takes files that are let fall anywhere in the conversation; says whether some are held over it. */
function useDrop(scroller: { current: HTMLDivElement | null }, compose: { current: ComposeHandle | null }): boolean {
  const [isOver, setOver] = useState(false);
  useEffect(() => {
    const talk = scroller.current?.closest<HTMLElement>('.talk');
    if (!talk) return;
    // It is left and entered again with every element inside it.
    let depth = 0;
    const entered = (event: DragEvent) => {
      if (!hasFiles(event) || !compose.current) return;
      depth += 1;
      setOver(true);
    };
    const left = () => {
      depth = Math.max(0, depth - 1);
      if (depth === 0) setOver(false);
    };
    const over = (event: DragEvent) => {
      if (hasFiles(event) && compose.current) event.preventDefault();
    };
    const dropped = (event: DragEvent) => {
      depth = 0;
      setOver(false);
      if (!hasFiles(event) || !compose.current) return;
      event.preventDefault();
      compose.current.take([...(event.dataTransfer?.files ?? [])]);
    };
    talk.addEventListener('dragenter', entered);
    talk.addEventListener('dragleave', left);
    talk.addEventListener('dragover', over);
    talk.addEventListener('drop', dropped);
    return () => {
      talk.removeEventListener('dragenter', entered);
      talk.removeEventListener('dragleave', left);
      talk.removeEventListener('dragover', over);
      talk.removeEventListener('drop', dropped);
    };
  }, []);
  return isOver;
}

/** Marks as read what was on the screen while somebody looked. */
function useMarking(scroller: { current: HTMLDivElement | null }, talk: OpenTalk): void {
  const rows = talk.rows.value;
  useEffect(() => {
    const box = scroller.current;
    const unread = rows.filter((row) => !row.read && !row.mine && !row.unreadable);
    if (!box || !unread.length) return;
    const seen = new Set<string>();
    const tell = () => {
      if (document.visibilityState === 'visible' && document.hasFocus()) talk.seen([...seen]);
    };
    const watch = new IntersectionObserver(
      (entries) => {
        for (const { isIntersecting, target } of entries) {
          const id = target.id.slice(2);
          if (isIntersecting) seen.add(id);
        }
        tell();
      },
      { root: box, threshold: 0.5 },
    );
    // A message that is longer than the screen is never half on it.
    for (const row of unread) {
      const item = box.querySelector(`#m-${CSS.escape(row.id)}`);
      if (item && item.clientHeight < box.clientHeight) watch.observe(item);
      else if (item) seen.add(row.id);
    }
    addEventListener('focus', tell);
    document.addEventListener('visibilitychange', tell);
    tell();
    return () => {
      watch.disconnect();
      removeEventListener('focus', tell);
      document.removeEventListener('visibilitychange', tell);
    };
  }, [rows]);
}

/** Who wrote a row, as its reader calls them. */
export function writer(row: TalkRow): string {
  return row.mine ? t('names.me') : person(row.from);
}

export async function historyOf(id: string) {
  return ask('GET /v1/inbox/{id}/history', { id });
}
