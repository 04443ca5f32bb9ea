// Windows that ask or tell something about one message.
import { useEffect, useState } from 'preact/hooks';
import { ask } from '../api';
import type { HistoryRow, LabelRow, StatusRow, TalkRow } from '../api.types';
import { called, person } from '../people';
import { inLine, plain } from '../safe';
import { changed, contacts, groups } from '../store';
import { eventWords, moodOf, nextWords } from '../states';
import { attempt, failure, tell } from '../tell';
import { fromLocalInput, localInput } from '../times';
import { hasWords, t, tx } from '../words';
import type { Asked } from './message-menu';
import { Button, Dialog, Field, Prose, Time } from './ui';

interface Props {
  row: TalkRow;
  close: () => void;
}

export function Asking({ row, what, close }: Props & { what: Asked }) {
  const View = views[what];
  return <View row={row} close={close} />;
}

const views: Record<Asked, (props: Props) => preact.JSX.Element> = {
  history: History,
  life: Life,
  task: TaskFields,
  react: React,
  label: Labels,
  forward: Forward,
  withdraw: (props) => <Sure {...props} of="withdraw" does={(id) => ask('POST /v1/inbox/{id}/change', { id, withdrawn: true })} />,
  delete: (props) => <Sure {...props} of="delete" does={(id) => ask('DELETE /v1/inbox/{id}', { id })} />,
};

function Sure({ row, close, of, does }: Props & { of: 'withdraw' | 'delete'; does: (id: string) => Promise<unknown> }) {
  return (
    <Dialog title={t(`message.${of}`)} close={close}>
      <p>{t(`sure.${of}`)}</p>
      <blockquote class="said-quote" dir="auto">
        {inLine(row.text ?? row.subject ?? '', 240)}
      </blockquote>
      <div class="row-end">
        <Button label={t('shell.cancel')} onClick={close} />
        <Button
          label={t(`message.${of}`)}
          kind="bad"
          onClick={() => {
            close();
            void attempt(does(row.id));
          }}
        />
      </div>
    </Dialog>
  );
}

/** Looks something up for a window; says why where that fails. */
function useAnswer<T>(take: () => Promise<T>): { answer: T | null; error: string | null } {
  const [state, setState] = useState<{ answer: T | null; error: string | null }>({ answer: null, error: null });
  useEffect(() => {
    take().then(
      (answer) => setState({ answer, error: null }),
      (error: unknown) => setState({ answer: null, error: failure(error) }),
    );
  }, []);
  return state;
}

function History({ row, close }: Props) {
  const { answer, error } = useAnswer<HistoryRow[]>(() => ask('GET /v1/inbox/{id}/history', { id: row.id }));
  return (
    <Dialog title={t('message.history')} close={close} wide>
      {error && <p class="bad">{error}</p>}
      {answer?.length === 0 && <p class="muted">{t('history.nothing')}</p>}
      <ol class="life">
        {answer?.map((one) => {
          const key = `history.${one.field}`;
          return (
            <li key={one.id + one.field}>
              <span class="life-at">{one.at && <Time at={one.at} />}</span>
              <span>
                <bdi>{person(one.who)}</bdi> {hasWords(key) ? t(key) : plain(one.field)}
                {one.gave_way && <span class="warn"> {t('history.gave_way')}</span>}
                {one.stands && one.field !== 'reaction' && <span class="good"> {t('history.stands')}</span>}
                <span class="life-what prose" dir="auto">
                  {one.field === 'due' && !Number.isNaN(Date.parse(one.what)) ? <Time at={one.what} /> : one.field === 'assignee' ? called(one.what) : <Prose text={one.what} />}
                </span>
              </span>
            </li>
          );
        })}
      </ol>
    </Dialog>
  );
}

function Life({ row, close }: Props) {
  const { answer, error } = useAnswer<StatusRow[]>(() => ask('GET /v1/status/{id}', { id: row.id }));
  const life = answer?.[0];
  const canTakeBack = life && ['queued', 'copy', 'custody', 'full'].includes(life.state);
  const canRenew = life && ['expired', 'cancelled', 'rejected'].includes(life.state);
  const act = async (doing: Promise<unknown>, told: string) => {
    close();
    if (await attempt(doing)) tell(told);
  };
  return (
    <Dialog title={t('message.life')} close={close} wide>
      {error && <p class="bad">{error}</p>}
      {life && (
        <>
          <ol class="life">
            {life.events.map((event, n) => (
              <li key={n}>
                <span class="life-at">{event.at && <Time at={event.at} />}</span>
                <span class={`life-dot ${moodOf(event.what === 'gave_up' ? 'queued' : event.what)}`}>{eventWords(event, life)}</span>
              </li>
            ))}
          </ol>
          {life.carriers_unlisted > 0 && <p class="muted">{t('life.unlisted', { count: life.carriers_unlisted })}</p>}
          {!!life.members?.length && (
            <ul class="life-members">
              {life.members.map((member) => (
                <li key={member.address} class={moodOf(member.state)}>
                  <bdi>{called(member.name ?? member.address)}</bdi> <span>{t(`state.${member.state}`)}</span>
                </li>
              ))}
            </ul>
          )}
          <p class="muted">
            {nextWords(life)}
            {life.expires_at && <> · {tx(life.state === 'expired' ? 'life.ended' : 'life.ends', { at: <Time at={life.expires_at} /> })}</>}
            {!life.forward_secrecy && <> · {t('life.no_secrecy')}</>}
          </p>
          <div class="row-end">
            {canTakeBack && <Button label={t('life.cancel')} onClick={() => void act(ask('POST /v1/status/{id}/cancel', { id: row.id }), t('life.cancelled_told'))} />}
            {canRenew && <Button label={t('life.renew')} kind="main" onClick={() => void act(ask('POST /v1/status/{id}/renew', { id: row.id }), t('life.renewed'))} />}
          </div>
        </>
      )}
    </Dialog>
  );
}

function TaskFields({ row, close }: Props) {
  const task = row.task;
  const [assignee, setAssignee] = useState(task?.assignee?.address ?? '');
  const [due, setDue] = useState(task?.due ? localInput(new Date(task.due)) : '');
  const people = contacts.value.filter((one) => one.standing === 'contact');
  const known = people.some((one) => one.address === assignee || `dak:${one.peer_id}` === assignee);
  const save = async () => {
    close();
    const at = fromLocalInput(due);
    await attempt(ask('POST /v1/inbox/{id}/change', { id: row.id, assignee, ...(at ? { due: at } : { clear_due: true }) }));
  };
  return (
    <Dialog title={t('message.task_fields')} close={close}>
      <Field label={t('task.assignee')}>
        <select value={assignee} onChange={(event) => setAssignee(event.currentTarget.value)}>
          <option value="">{t('task.nobody')}</option>
          {!known && task?.assignee && <option value={assignee}>{person(task.assignee)}</option>}
          <MyOption />
          {people.map((one) => (
            <option value={`dak:${one.peer_id}`}>{plain(one.name)}</option>
          ))}
        </select>
      </Field>
      <Field label={t('task.due_field')}>
        <input type="datetime-local" value={due} onInput={(event) => setDue(event.currentTarget.value)} />
      </Field>
      <div class="row-end">
        <Button
          label={t('task.remove')}
          onClick={() => {
            close();
            void attempt(ask('POST /v1/inbox/{id}/change', { id: row.id, task: 'none' }));
          }}
        />
        <Button label={t('task.save')} kind="main" onClick={() => void save()} />
      </div>
    </Dialog>
  );
}

function MyOption() {
  const { answer } = useAnswer(() => ask('GET /v1/me'));
  return answer ? <option value={`dak:${answer.peer_id}`}>{t('names.me')}</option> : null;
}

function React({ row, close }: Props) {
  const [emoji, setEmoji] = useState('');
  const send = (event: Event) => {
    event.preventDefault();
    const chosen = emoji.trim();
    if (!chosen) return;
    close();
    void attempt(ask('POST /v1/inbox/{id}/change', { id: row.id, reaction: { emoji: chosen, on: true } }));
  };
  return (
    <Dialog title={t('message.react')} close={close}>
      <form class="inline-form" onSubmit={send}>
        <Field label={t('react.field')}>
          <input autofocus value={emoji} maxLength={24} onInput={(event) => setEmoji(event.currentTarget.value)} />
        </Field>
        <Button label={t('message.react')} kind="main" type="submit" />
      </form>
    </Dialog>
  );
}

function Labels({ row, close }: Props) {
  const { answer } = useAnswer<LabelRow[]>(() => ask('GET /v1/labels'));
  const [on, setOn] = useState(() => new Set(row.labels));
  const [name, setName] = useState('');
  const turn = async (label: string, isOn: boolean) => {
    if ((await attempt(ask('POST /v1/labels/{label}', { label, ids: [row.id], on: isOn }))) === undefined) return;
    const next = new Set(on);
    if (isOn) next.add(label);
    else next.delete(label);
    setOn(next);
    changed(`message:${row.id}`);
  };
  const all = [...new Set([...(answer ?? []).map((one) => one.label), ...on])].sort();
  return (
    <Dialog title={t('message.label')} close={close}>
      <p class="muted">{t('label.hint')}</p>
      <ul>
        {all.map((label) => (
          <li key={label}>
            <label class="tick">
              <input type="checkbox" checked={on.has(label)} onChange={(event) => void turn(label, event.currentTarget.checked)} />
              <bdi>{plain(label)}</bdi>
            </label>
          </li>
        ))}
      </ul>
      <form
        class="inline-form"
        onSubmit={(event) => {
          event.preventDefault();
          if (name.trim()) void turn(name.trim(), true);
          setName('');
        }}
      >
        <Field label={t('label.new')}>
          <input autocomplete="off" value={name} onInput={(event) => setName(event.currentTarget.value)} />
        </Field>
        <Button label={t('label.add')} type="submit" />
      </form>
    </Dialog>
  );
}

function Forward({ row, close }: Props) {
  const [who, setWho] = useState('');
  const [text, setText] = useState('');
  const send = async (event: Event) => {
    event.preventDefault();
    if (!who) return;
    close();
    const sent = await attempt(ask('POST /v1/send', { to: who, text, forward: row.id }));
    if (sent) tell(t('forward.done', { name: called(sent.to) }));
  };
  return (
    <Dialog title={t('message.forward')} close={close}>
      <form class="stack" onSubmit={(event) => void send(event)}>
        <blockquote class="said-quote" dir="auto">
          {inLine(row.text ?? '', 240)}
        </blockquote>
        <Field label={t('forward.to')}>
          <select required value={who} onChange={(event) => setWho(event.currentTarget.value)}>
            <option value="">{t('forward.choose')}</option>
            {groups.value
              .filter((one) => one.standing === 'joined')
              .map((one) => (
                <option value={one.address}>{plain(one.name)}</option>
              ))}
            {contacts.value
              .filter((one) => one.standing === 'contact')
              .map((one) => (
                <option value={`dak:${one.peer_id}`}>{plain(one.name)}</option>
              ))}
          </select>
        </Field>
        <Field label={t('forward.remark')}>
          <textarea rows={2} dir="auto" autocomplete="off" value={text} onInput={(event) => setText(event.currentTarget.value)} />
        </Field>
        <div class="row-end">
          <Button label={t('message.forward')} kind="main" type="submit" />
        </div>
      </form>
    </Dialog>
  );
}
