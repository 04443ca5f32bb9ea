// Tasks as a board: what nobody took, what somebody has in hand, and what is done.

import './tasks.css';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, type Asks, type BoardRow, type ContactRow, type GroupRow, type MeRow } from '../api';
import { called, peerOf, person } from '../people';
import { to } from '../route';
import { inLine } from '../safe';
import { fromLocalInput, localInput, now, when } from '../times';
import { number, t } from '../words';
import { useAsked, useDoing } from './ask';
import { Chip, Form, Loaded, Page, TextField, Tick, Trouble } from './kit';
import { Avatar, Button, Empty, Name } from './ui';

const COLUMNS = ['open', 'taken', 'done'] as const;
type Change = Partial<Asks<'POST /v1/inbox/{id}/change'>>;
type Column = (typeof COLUMNS)[number];

/** Done tasks shown at once. */
const DONE_SHOWN = 50;

function columnOf(row: BoardRow): Column {
  if (row.state === 'done') return 'done';
  return row.assignee ? 'taken' : 'open';
}

async function board() {
  const [rows, me, contacts, groups] = await Promise.all([
    ask('GET /v1/tasks', { all: true }),
    ask('GET /v1/me'),
    ask('GET /v1/contacts'),
    ask('GET /v1/groups'),
  ]);
  return { rows, me, contacts, groups };
}

/** What a move to a column changes of a task. */
function moved(row: BoardRow, column: Column, me: MeRow): Change | undefined {
  const from = columnOf(row);
  if (from === column) return undefined;
  const again = from === 'done' ? { task: 'again' as const } : {};
  switch (column) {
    case 'done':
      return { task: 'done' as const };
    case 'taken':
      return row.assignee ? again : { ...again, assignee: me.address };
    case 'open':
      return row.assignee ? { ...again, assignee: '' } : again;
  }
}

export function Tasks() {
  const asked = useAsked(board, [], { onEvents: true, of: ['contacts', 'groups'] });
  const [mine, setMine] = useState(false);
  const [adds, setAdds] = useState(false);
  const [edits, setEdits] = useState<BoardRow>();
  const doing = useDoing();
  const [said, setSaid] = useState('');
  const [dragged, setDragged] = useState<BoardRow>();
  const [over, setOver] = useState<Column>();
  /** The card that keeps the focus when it stands elsewhere. */
  const focus = useRef<{ id: string; column: Column }>(undefined);

  useEffect(() => {
    if (!focus.current) return;
    const { id, column } = focus.current;
    const card = document.getElementById(`task-${id}`);
    // It stands there once the node told of it.
    if (!card?.closest(`.column.${column}`)) return;
    card.focus();
    focus.current = undefined;
  });

  const move = async (row: BoardRow, column: Column, me: MeRow) => {
    const wish = moved(row, column, me);
    if (!wish) return;
    if (await doing.run(() => ask('POST /v1/inbox/{id}/change', { id: row.id, ...wish }))) {
      setSaid(t('tasks.moved', { task: inLine(row.text ?? '', 60), column: t(`tasks.column_${column}`) }));
      focus.current = { id: row.id, column };
      asked.again();
    }
  };

  return (
    <Page
      title={t('tasks.title')}
      lead={t('tasks.lead')}
      actions={
        <>
          <Tick label={t('tasks.mine')} checked={mine} onChange={setMine} />
          <Button label={t('tasks.new')} kind="main" icon="plus" onClick={() => setAdds(true)} />
        </>
      }
    >
      {doing.error && <Trouble error={doing.error} />}
      <p class="unseen" role="status">
        {said}
      </p>
      <Loaded asked={asked}>
        {({ rows, me, contacts, groups }) => {
          const shown = mine ? rows.filter((row) => row.assignee && peerOf(row.assignee.address) === me.peer_id) : rows;
          if (rows.length === 0) {
            return (
              <Empty title={t('tasks.none')} icon="tasks">
                {t('tasks.none_note')}
              </Empty>
            );
          }
          return (
            <div class="board">
              {COLUMNS.map((column) => {
                const cards = sorted(shown.filter((row) => columnOf(row) === column));
                const listed = column === 'done' ? cards.slice(0, DONE_SHOWN) : cards;
                return (
                  <section
                    key={column}
                    class={`column ${column}${over === column && dragged && columnOf(dragged) !== column ? ' over' : ''}`}
                    aria-labelledby={`column-${column}`}
                    onDragOver={(event) => {
                      if (!dragged) return;
                      event.preventDefault();
                      setOver(column);
                    }}
                    onDragLeave={(event) => {
                      if (!event.currentTarget.contains(event.relatedTarget as Element | null)) setOver(undefined);
                    }}
                    onDrop={(event) => {
                      event.preventDefault();
                      setOver(undefined);
                      if (dragged) void move(dragged, column, me);
                      setDragged(undefined);
                    }}
                  >
                    <h2 id={`column-${column}`}>
                      {t(`tasks.column_${column}`)} <span class="count">{number(cards.length)}</span>
                    </h2>
                    <ul>
                      {listed.map((row) => (
                        <Card
                          key={row.id}
                          row={row}
                          me={me}
                          place={placeOf(row, contacts, groups, me)}
                          onDrag={setDragged}
                          onMove={(column) => void move(row, column, me)}
                          onEdit={() => setEdits(row)}
                        />
                      ))}
                    </ul>
                    {cards.length === 0 && <p class="dim dim">{t(`tasks.empty_${column}`)}</p>}
                    {cards.length > listed.length && <p class="dim">{t('tasks.more', { count: cards.length - listed.length })}</p>}
                  </section>
                );
              })}
            </div>
          );
        }}
      </Loaded>
      {adds && asked.value && <NewTask {...asked.value} onClose={() => setAdds(false)} onDone={asked.again} />}
      {edits && asked.value && <EditTask row={edits} {...asked.value} onClose={() => setEdits(undefined)} onDone={asked.again} />}
    </Page>
  );
}

/** The soonest due first, then as they were written. */
function sorted(rows: readonly BoardRow[]): BoardRow[] {
  const due = (row: BoardRow) => (row.due ? Date.parse(row.due) : Number.MAX_SAFE_INTEGER);
  return [...rows].sort((a, b) => due(a) - due(b));
}

/** What the conversation is called that a task stands in. */
function placeOf(row: BoardRow, contacts: readonly ContactRow[], groups: readonly GroupRow[], me: MeRow): string {
  const group = groups.find((group) => group.address === row.conversation);
  if (group) return group.name;
  const peer = peerOf(row.conversation);
  if (peer === me.peer_id) return t('names.me');
  return called(contacts.find((contact) => contact.peer_id === peer)?.name ?? row.conversation);
}

function Card(props: {
  row: BoardRow;
  me: MeRow;
  place: string;
  onDrag: (row: BoardRow | undefined) => void;
  onMove: (column: Column) => void;
  onEdit: () => void;
}) {
  const { row, me } = props;
  const column = columnOf(row);
  const at = COLUMNS.indexOf(column);
  const isLate = row.due && column !== 'done' && Date.parse(row.due) < now.value;
  const isMine = row.assignee && peerOf(row.assignee.address) === me.peer_id;
  const keys = (event: KeyboardEvent) => {
    if (event.target !== event.currentTarget) return;
    const rtl = getComputedStyle(event.currentTarget as Element).direction === 'rtl' ? -1 : 1;
    const turn = { ArrowLeft: -1, ArrowRight: 1 }[event.key];
    if (turn) {
      event.preventDefault();
      const next = COLUMNS[at + turn * rtl];
      if (next) props.onMove(next);
    }
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      event.preventDefault();
      const cards = [...(event.currentTarget as Element).parentElement!.children] as HTMLElement[];
      cards[cards.indexOf(event.currentTarget as HTMLElement) + (event.key === 'ArrowDown' ? 1 : -1)]?.focus();
    }
    if (event.key === 'Enter') {
      event.preventDefault();
      props.onEdit();
    }
  };
  const words = inLine(row.text ?? '', 240) || t('tasks.no_words');
  return (
    <li
      id={`task-${row.id}`}
      class="task-card"
      tabIndex={0}
      draggable
      aria-keyshortcuts="ArrowLeft ArrowRight Enter"
      onKeyDown={keys}
      onDragStart={(event) => {
        event.dataTransfer?.setData('text/plain', row.id);
        props.onDrag(row);
      }}
      onDragEnd={() => props.onDrag(undefined)}
    >
      <p class="task-words">
        <Name>{words}</Name>
      </p>
      <p class="task-facts">
        {row.due && (
          <Chip look={isLate ? 'bad' : 'plain'}>
            {isLate ? t('tasks.late', { at: when(row.due) }) : t('tasks.due', { at: when(row.due) })}
          </Chip>
        )}
        {row.assignee && (
          <span class="task-person">
            <span class="small-avatar"><Avatar name={isMine ? me.name : person(row.assignee)} address={row.assignee.address} /></span>
            {isMine ? t('names.me') : <Name>{person(row.assignee)}</Name>}
          </span>
        )}
      </p>
      <div class="task-foot">
        <a class="dim" href={to('talk', [row.conversation], { at: row.id })}>
          <Name>{props.place}</Name>
        </a>
        <span class="task-buttons">
          {column !== 'done' && (
            <button type="button" class="text-button" onClick={() => props.onMove('done')}>
              {t('tasks.do_done')}
            </button>
          )}
          {column === 'open' && (
            <button type="button" class="text-button" onClick={() => props.onMove('taken')}>
              {t('tasks.do_take')}
            </button>
          )}
          {column === 'done' && (
            <button type="button" class="text-button" onClick={() => props.onMove(row.assignee ? 'taken' : 'open')}>
              {t('tasks.do_again')}
            </button>
          )}
          <button type="button" class="text-button" aria-label={t('tasks.edit', { task: inLine(words, 60) })} onClick={props.onEdit}>
            {t('tasks.change')}
          </button>
        </span>
      </div>
    </li>
  );
}

interface Known {
  me: MeRow;
  contacts: readonly ContactRow[];
  groups: readonly GroupRow[];
}

function NewTask({ me, contacts, groups, onClose, onDone }: Known & { onClose: () => void; onDone: () => void }) {
  const [who, setWho] = useState('');
  const [text, setText] = useState('');
  const [assignee, setAssignee] = useState('');
  const [due, setDue] = useState('');
  const doing = useDoing();
  const names = [...contacts.filter((one) => one.standing === 'contact'), ...groups.filter((one) => one.standing === 'joined')].map((one) => one.name);
  const send = async () => {
    const task = { assignee: assignee ? whom(assignee, me) : null, due: fromLocalInput(due) };
    const offset_minutes = -new Date().getTimezoneOffset();
    if (await doing.run(() => ask('POST /v1/send', { to: who.trim(), text, task, offset_minutes }))) {
      onDone();
      onClose();
    }
  };
  return (
    <Form
      title={t('tasks.new')}
      lead={t('tasks.new_lead')}
      does={t('tasks.send')}
      doing={doing}
      isReady={who.trim() !== '' && text.trim() !== ''}
      onDo={() => void send()}
      close={onClose}
    >
      <TextField label={t('tasks.words')} value={text} onInput={setText} lines={3} required isFirst />
      <TextField label={t('tasks.to')} value={who} onInput={setWho} list={names} required />
      <TextField label={t('tasks.assignee')} value={assignee} onInput={setAssignee} list={[t('names.me'), ...names]} hint={t('tasks.assignee_hint')} />
      <TextField label={t('tasks.due_at')} value={due} onInput={setDue} type="datetime-local" />
    </Form>
  );
}

function EditTask(props: Known & { row: BoardRow; onClose: () => void; onDone: () => void }) {
  const { row, me } = props;
  const [assignee, setAssignee] = useState(row.assignee ? (peerOf(row.assignee.address) === me.peer_id ? t('names.me') : (row.assignee.name ?? row.assignee.address)) : '');
  const [due, setDue] = useState(row.due ? localInput(new Date(row.due)) : '');
  const doing = useDoing();
  const save = async () => {
    const wish: Change = { assignee: assignee.trim() ? whom(assignee, me) : '' };
    const at = fromLocalInput(due);
    if (at) wish.due = at;
    else if (row.due) wish.clear_due = true;
    if (await doing.run(() => ask('POST /v1/inbox/{id}/change', { id: row.id, ...wish }))) {
      props.onDone();
      props.onClose();
    }
  };
  return (
    <Form title={t('tasks.change_title')} lead={<Name>{inLine(row.text ?? '', 240)}</Name>} does={t('kit.save')} doing={doing} onDo={() => void save()} close={props.onClose}>
      <TextField label={t('tasks.assignee')} value={assignee} onInput={setAssignee} list={[t('names.me'), ...props.contacts.map((one) => one.name)]} hint={t('tasks.assignee_hint')} isFirst />
      <TextField label={t('tasks.due_at')} value={due} onInput={setDue} type="datetime-local" />
    </Form>
  );
}

function whom(typed: string, me: MeRow): string {
  return typed.trim() === t('names.me') ? me.address : typed.trim();
}
