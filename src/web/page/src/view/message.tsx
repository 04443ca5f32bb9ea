// One message: its words, what came with it, what was made of it, and of one's own what became of it.
import { signal } from '@preact/signals';
import { useRef, useState } from 'preact/hooks';
import { ask } from '../api';
import type { ReactionRow, StatusRow, TalkRow } from '../api.types';
import { onLocked } from '../lock';
import { called, hue, person } from '../people';
import { inLine, plain } from '../safe';
import { changed, me } from '../store';
import { moodOf, stateWords } from '../states';
import { isAhead, written } from '../talk';
import { attempt, tell } from '../tell';
import { clock, when } from '../times';
import { to } from '../route';
import { t, tx } from '../words';
import { Attachments } from './attachments';
import { Icon } from './icons';
import { messageItems, type Asked } from './message-menu';
import { Asking } from './asking';
import { Button, MenuList, Prose, Time } from './ui';

/** Longer texts are folded until somebody wants all of them. */
const FOLD_CHARS = 1800;
const FOLD_LINES = 24;

/** What is offered first to react with. */
export const QUICK = ['👍', '✅', '❤️', '😂', '🎉', '👀'];

export interface Acts {
  reply: (row: TalkRow) => void;
  edit: (row: TalkRow) => void;
  thread: (row: TalkRow) => void;
  jump: (id: string) => void;
}

interface Props {
  row: TalkRow;
  status: StatusRow | undefined;
  isGroup: boolean;
  startsRun: boolean;
  endsRun: boolean;
  /** The one message that the Tab key stops at. */
  isStop: boolean;
  isTarget: boolean;
  answers: number;
  isInThread: boolean;
  acts: Acts;
}

/** What is asked about a message in a window over the page; one at a time. */
export const asking = signal<{ row: TalkRow; what: Asked } | null>(null);
onLocked(() => (asking.value = null));

export function Message(props: Props) {
  const { row, status, isGroup, startsRun, endsRun, isStop, answers, isInThread, acts } = props;
  const [menu, setMenu] = useState<'all' | 'react' | { x: number; y: number } | null>(null);
  const bar = useRef<HTMLDivElement>(null);
  const article = useRef<HTMLElement>(null);
  const close = (back = true) => {
    setMenu(null);
    if (back) article.current?.focus({ preventScroll: true });
  };
  if (row.kind === 'group' || row.kind === 'app') return <Event row={row} isStop={isStop} />;
  const author = row.mine ? t('names.me') : person(row.from);
  const isGone = row.withdrawn || row.disappeared;
  const at = written(row);
  const label = [author, at ? when(at) : '', row.text ? inLine(row.text, 200) : ''].filter(Boolean).join(', ');
  return (
    <>
      <article
        ref={article}
        class={`message${row.mine ? ' mine' : ''}${startsRun ? ' starts' : ''}${endsRun ? ' ends' : ''}${row.priority === 'urgent' ? ' urgent' : ''}`}
        data-id={row.id}
        tabIndex={isStop ? 0 : -1}
        aria-label={label}
        onContextMenu={(event) => {
          if ((event.target as Element).closest('a, img, video, audio, input') || getSelection()?.toString()) return;
          event.preventDefault();
          setMenu({ x: event.clientX, y: event.clientY });
        }}
      >
        {startsRun && isGroup && !row.mine && <bdi class={`author hue-${hue(row.from.address)}`}>{author}</bdi>}
        <div class="bubble-line">
          <div class={`bubble${isGone ? ' gone' : ''}`}>
            <Marks row={row} />
            {row.answers && !isInThread && (
              <button type="button" class="quoted" onClick={() => acts.jump(row.answers!.id)}>
                <bdi class="quoted-who">{row.answers.mine ? t('names.me') : row.answers.from ? person(row.answers.from) : ''}</bdi>
                <span class="cut" dir="auto">
                  {row.answers.text ? inLine(row.answers.text, 120) : t(`message.parent_${row.answers.there}`)}
                </span>
              </button>
            )}
            {row.remark && (
              <div class="prose" dir="auto">
                <Prose text={row.remark} />
              </div>
            )}
            {row.forwarded && <Forwarded row={row} />}
            {row.subject && (
              <p class="subject" dir="auto">
                {plain(row.subject)}
              </p>
            )}
            <Body row={row} />
            {row.introduces && <Introduced row={row} />}
            {row.files.length > 0 && <Attachments row={row} />}
            {row.task && <Task row={row} />}
            <p class={isBeside(row) ? 'stamp beside' : 'stamp'}>
              {row.edited && (
                <button type="button" class="as-link" onClick={() => (asking.value = { row, what: 'history' })}>
                  {t('message.edited')}
                </button>
              )}
              {row.pinned && <Icon name="pin" size={12} />}
              {at && <Time at={at} show={clock} />}
            </p>
          </div>
          <div class="message-bar" ref={bar}>
            <Button class="react-button" icon="smile" label={t('message.react')} isIconOnly kind="quiet" onClick={() => setMenu('react')} />
            <Button icon="reply" label={t('message.reply')} isIconOnly kind="quiet" onClick={() => acts.reply(row)} />
            <span class="message-menu">
              <Button icon="more" label={t('message.more')} isIconOnly kind="quiet" expanded={menu === 'all'} onClick={() => setMenu('all')} />
            </span>
          </div>
        </div>
        {row.labels.length > 0 && (
          <p class="labels">
            {row.labels.map((label) => (
              <span class="chip">
                <Icon name="label" size={12} /> <bdi>{plain(label)}</bdi>
              </span>
            ))}
          </p>
        )}
        {row.reactions.length > 0 && <Reactions row={row} />}
        {answers > 0 && (
          <button type="button" class="replies text-button" onClick={() => acts.thread(row)}>
            <Icon name="thread" size={15} /> {t('message.replies', { count: answers })}
          </button>
        )}
        {row.mine && row.state && (endsRun || !['delivered', 'read'].includes(row.state)) && <State row={row} status={status} />}
      </article>
      {menu === 'react' && <ReactPick row={row} close={close} anchor={bar.current} />}
      {menu && menu !== 'react' && (
        <MenuList
          label={t('message.more')}
          items={messageItems(row, acts, (what) => (asking.value = { row, what }))}
          close={close}
          {...(menu === 'all' ? { anchor: bar.current } : { at: menu })}
        />
      )}
    </>
  );
}

/** The window that is asked for, beside all messages. */
export function AskingPlace() {
  const asked = asking.value;
  return asked ? <Asking row={asked.row} what={asked.what} close={() => (asking.value = null)} /> : null;
}

/** What happened in a group, as a line between messages. */
function Event({ row, isStop }: { row: TalkRow; isStop: boolean }) {
  const at = written(row);
  return (
    <article class="event" data-id={row.id} tabIndex={isStop ? 0 : -1}>
      <span>
        {row.kind !== 'app' && <bdi class="event-who">{row.mine ? t('names.me') : person(row.from)}</bdi>}{' '}
        {row.kind === 'app' && row.in_reply_to ? (
          <a href={to('app', [row.in_reply_to], row.href ? { href: row.href } : {})}>
            <Icon name="app" size={14} /> <bdi>{inLine(row.text ?? '', 80)}</bdi>
          </a>
        ) : (
          <bdi>{inLine(row.text ?? '', 400)}</bdi>
        )}
      </span>
      {at && <Time at={at} show={clock} />}
    </article>
  );
}

/** What its writer means it to be, and what is to be doubted. */
function Marks({ row }: { row: TalkRow }) {
  const came = row.received_at;
  const marks = [
    row.priority === 'urgent' && (
      <span class="chip bad">
        <Icon name="urgent" size={12} /> {t('message.urgent')}
      </span>
    ),
    ...row.tags.map((tag) => <span class="chip">{t(`tag.${tag}`)}</span>),
    row.reply_by && (
      <span class={`chip ${Date.parse(row.reply_by) < Date.now() && !row.mine ? 'bad' : 'warn'}`}>
        <Icon name="clock" size={12} /> <span>{tx('message.reply_by', { at: <Time at={row.reply_by} /> })}</span>
      </span>
    ),
    row.late && came && <span class="chip warn">{tx('message.late', { at: <Time at={came} /> })}</span>,
    isAhead(row) && row.sent_at && <span class="chip warn">{tx('message.ahead', { at: <Time at={row.sent_at} /> })}</span>,
    row.after_leaving && <span class="chip warn">{t('message.after_leaving')}</span>,
    row.imported && <span class="chip">{t('message.imported')}</span>,
    row.expires_at && <span class="chip">{tx('message.disappears', { at: <Time at={row.expires_at} /> })}</span>,
  ].filter(Boolean);
  return marks.length ? <p class="marks">{marks}</p> : null;
}

function Forwarded({ row }: { row: TalkRow }) {
  const from = row.forwarded!;
  const author = <bdi>{person(from.author)}</bdi>;
  return (
    <p class="forwarded">
      <Icon name="forward" size={14} />
      <span>{tx(from.signed ? 'message.forwarded_signed' : 'message.forwarded', { author, at: from.sent_at ? <Time at={from.sent_at} /> : '' })}</span>
    </p>
  );
}

function Body({ row }: { row: TalkRow }) {
  const [isWhole, setWhole] = useState(false);
  if (row.withdrawn) return <p class="instead">{t('message.withdrawn')}</p>;
  if (row.disappeared) return <p class="instead">{t('message.disappeared')}</p>;
  if (row.text === null) return <p class="instead bad">{t('message.unreadable', { why: plain(row.unreadable ?? '') })}</p>;
  const text = row.introduces && row.text === `${row.introduces.name} ${row.introduces.address}` ? '' : row.text;
  if (!text) return null;
  const lines = text.split('\n', FOLD_LINES + 1);
  const isLong = text.length > FOLD_CHARS || lines.length > FOLD_LINES;
  const shown = isLong && !isWhole ? lines.slice(0, FOLD_LINES).join('\n').slice(0, FOLD_CHARS).replace(/[\ud800-\udbff]$/, '') + '…' : text;
  return (
    <>
      <div class={`prose${isBig(text) ? ' big' : ''}`} dir="auto">
        <Prose text={shown} />
        {isBeside(row) && <span class={row.edited || row.pinned ? 'stamp-room wide' : 'stamp-room'} />}
      </div>
      {isLong && (
        <button type="button" class="as-link" onClick={() => setWhole(!isWhole)}>
          {t(isWhole ? 'message.less' : 'message.all')}
        </button>
      )}
    </>
  );
}

/** Whether its time stands beside its last line rather than below: where nothing follows the words, and they do not end there. */
function isBeside(row: TalkRow): boolean {
  const { text } = row;
  if (!text || row.files.length > 0 || row.task || row.introduces || text.length > FOLD_CHARS) return false;
  return !/[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufeff]/.test(text.slice(text.lastIndexOf('\n') + 1)) && text.split('\n', FOLD_LINES + 1).length <= FOLD_LINES;
}

/** Up to three emoji alone are shown large. */
function isBig(text: string): boolean {
  return text.length < 40 && /^(\p{Extended_Pictographic}(\ufe0f|\u200d|\p{Emoji_Modifier}|\p{Extended_Pictographic})*\s*){1,3}$/u.test(text.trim());
}

function Introduced({ row }: { row: TalkRow }) {
  const { name, address, known_as } = row.introduces!;
  const add = async () => {
    const added = await attempt(ask('POST /v1/contacts', { name, address }));
    if (!added) return;
    changed('contacts');
    tell(t('message.added', { name: plain(name) }));
  };
  return (
    <div class="introduced">
      <Icon name="people" />
      <span>
        {known_as ? tx('message.introduces_known', { name: <bdi>{plain(name)}</bdi>, known: <bdi>{called(known_as)}</bdi> }) : tx('message.introduces', { name: <bdi>{plain(name)}</bdi> })}
      </span>
      {!known_as && !row.mine && <Button label={t('message.add_contact')} onClick={() => void add()} />}
    </div>
  );
}

function Task({ row }: { row: TalkRow }) {
  const { state, assignee, due } = row.task!;
  const isDone = state === 'done';
  const turn = () => void attempt(ask('POST /v1/inbox/{id}/change', { id: row.id, task: isDone ? 'again' : 'done' }));
  return (
    <div class={`task${isDone ? ' done' : ''}`}>
      <label class="tick">
        <input type="checkbox" checked={isDone} onChange={turn} />
        <span>{t(isDone ? 'task.done' : 'task.open')}</span>
      </label>
      <button type="button" class="as-link" onClick={() => (asking.value = { row, what: 'task' })}>
        <bdi>{assignee ? (assignee.address.includes(me.value?.peer_id ?? '-') ? t('names.me') : person(assignee)) : t('task.nobody')}</bdi>
        {due && (
          <>
            {' · '}
            {tx('task.due', { at: <Time at={due} /> })}
          </>
        )}
      </button>
    </div>
  );
}

function Reactions({ row }: { row: TalkRow }) {
  const all = new Map<string, ReactionRow[]>();
  for (const reaction of row.reactions) all.set(reaction.emoji, [...(all.get(reaction.emoji) ?? []), reaction]);
  return (
    <p class="reactions">
      {[...all].map(([emoji, by]) => {
        const isOn = by.some(isMine);
        const names = by.map((one) => (isMine(one) ? t('names.me') : person(one.who))).join(', ');
        return (
          <button
            type="button"
            class="reaction"
            aria-pressed={isOn}
            title={names}
            aria-label={t('message.reacted', { emoji: inLine(emoji, 24), names })}
            onClick={() => void react(row, emoji, !isOn)}
          >
            <bdi>{inLine(emoji, 24)}</bdi>
            <span>{by.length}</span>
          </button>
        );
      })}
    </p>
  );
}

function isMine({ who }: ReactionRow): boolean {
  const peer = me.value?.peer_id;
  return !!peer && who.address.includes(peer);
}

async function react(row: TalkRow, emoji: string, on: boolean): Promise<void> {
  await attempt(ask('POST /v1/inbox/{id}/change', { id: row.id, reaction: { emoji, on } }));
}

function ReactPick({ row, close, anchor }: { row: TalkRow; close: (back?: boolean) => void; anchor: Element | null }) {
  const mine = new Set(row.reactions.filter(isMine).map((one) => one.emoji));
  return (
    <MenuList
      label={t('message.react')}
      close={close}
      anchor={anchor}
      items={[
        ...QUICK.map((emoji) => ({ label: emoji, isOn: mine.has(emoji), does: () => void react(row, emoji, !mine.has(emoji)) })),
        { icon: 'plus' as const, label: t('message.react_other'), does: () => (asking.value = { row, what: 'react' }) },
      ]}
      isRow
    />
  );
}

function State({ row, status }: { row: TalkRow; status: StatusRow | undefined }) {
  // What members of a group say is known of the status alone.
  const state = status?.members?.length ? status.state : row.state!;
  return (
    <button type="button" class={`state ${moodOf(state)}`} onClick={() => (asking.value = { row, what: 'life' })}>
      {stateWords(state, status)}
    </button>
  );
}
