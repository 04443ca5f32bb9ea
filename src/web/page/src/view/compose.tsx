// Where one writes: words, files, a voice; how it is to go, and when.
import { useComputed } from '@preact/signals';
import { useEffect, useId, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { ask } from '../api';
import type { Compose as Words, Tag, TalkRow } from '../api.types';
import { KeptDraft } from '../draft';
import { keepFiles, keptFiles, placeOf } from '../draft-files';
import { sendOut, type Chosen, type Photos } from '../outgoing';
import { person } from '../people';
import { isPhoto } from '../pictures';
import { inLine } from '../safe';
import { enterSends } from '../settings';
import { changed, contactOf, drafts, groupOf, onAnew } from '../store';
import { attempt, complain, tell } from '../tell';
import { fromLocalInput, localInput } from '../times';
import { t } from '../words';
import { ChosenFiles } from './chosen';
import { Icon } from './icons';
import { Recorder } from './recorder';
import { isTo } from './talks';
import { Button, Field } from './ui';
import './compose.css';

export interface ComposeHandle {
  reply: (row: TalkRow) => void;
  edit: (row: TalkRow) => void;
  focus: () => void;
  take: (files: File[]) => void;
  /** Words to go on with. */
  write: (text: string) => void;
}

interface Props {
  handle: { current: ComposeHandle | null };
  who: string;
  thread: string | null;
  lastMine: () => TalkRow | undefined;
  /** A message is on its way into the node; the answer is called with whether it is there. */
  onPending: (text: string, files: number) => (isThere: boolean) => Promise<void>;
  onUp: () => void;
}

/** How it goes, beside its words. */
interface How {
  isUrgent: boolean;
  tag: Tag | '';
  replyBy: string;
  at: string;
  isTask: boolean;
  disappears: number;
}

const USUAL: How = { isUrgent: false, tag: '', replyBy: '', at: '', isTask: false, disappears: 0 };
const DISAPPEARS = [0, 3_600_000, 86_400_000, 604_800_000];
const TAGS = ['question', 'decision', 'fyi'] as const;
/** A field for words is no taller than so many lines. */
const HEIGHT_MAX = 220;

let nextKey = 1;

export function Compose({ handle, who, thread, lastMine, onPending, onUp }: Props) {
  const [text, setText] = useState('');
  const [reply, setReply] = useState<{ id: string; thread: string; label: string } | null>(null);
  const [edits, setEdits] = useState<TalkRow | null>(null);
  const [files, setFiles] = useState<Chosen[]>([]);
  const [photos, setPhotos] = useState<Photos>('smaller');
  const [how, setHow] = useState<How>(USUAL);
  const [isOpen, setOpen] = useState(false);
  const [records, setRecords] = useState<'sound' | 'film' | null>(null);
  const [isBusy, setBusy] = useState(false);
  const field = useRef<HTMLTextAreaElement>(null);
  const picker = useRef<HTMLInputElement>(null);
  const sending = useRef<AbortController | null>(null);
  const draft = useMemo(() => new KeptDraft(who, thread?.slice(0, 32) ?? null, (named) => isTo(named, who), complain), [who, thread]);
  const place = placeOf(who, thread);
  const areFilesFound = useRef(false);
  const listed = useComputed(() => drafts.value.map((one) => one.number).join());
  // What the node could not keep it keeps once it is back.
  useEffect(() => onAnew((of) => void (!of && draft.keep())), [draft]);

  useEffect(() => {
    if (edits || (text && document.hasFocus() && document.activeElement === field.current)) return;
    void draft.found().then((found) => {
      if (!found) return;
      setText(found.text);
      setReply(found.answers ? { id: found.answers, thread: found.answers, label: '' } : null);
    });
  }, [draft, listed.value]);
  useEffect(() => {
    if (!edits) draft.write(text, reply?.id ?? null);
  }, [text, reply, edits]);
  useEffect(() => {
    // What was being recorded as the page went is a file like others now.
    void Promise.all([keptFiles(place), keptFiles(placeOf(who, thread, true))]).then(async ([kept, recorded]) => {
      areFilesFound.current = true;
      if (kept.length + recorded.length) await take([...kept, ...recorded], false);
      if (recorded.length) keepFiles(placeOf(who, thread, true), []);
    });
  }, [place]);
  useEffect(() => {
    if (areFilesFound.current) keepFiles(place, files.map((one) => one.file));
  }, [files.map((one) => one.key).join()]);
  useEffect(() => {
    const hidden = () => void (document.visibilityState === 'hidden' && draft.keep());
    document.addEventListener('visibilitychange', hidden);
    addEventListener('pagehide', hidden);
    return () => {
      document.removeEventListener('visibilitychange', hidden);
      removeEventListener('pagehide', hidden);
      draft.keep();
      sending.current?.abort();
    };
  }, [draft]);
  useLayoutEffect(() => {
    const box = field.current;
    if (!box) return;
    box.style.height = 'auto';
    box.style.height = `${Math.min(box.scrollHeight + 2, HEIGHT_MAX)}px`;
  }, [text]);

  const take = async (chosen: File[], isLookedAt = true) => {
    const taken = await Promise.all(chosen.map(async (file): Promise<Chosen> => ({ key: nextKey++, file, isPhoto: await isPhoto(file), part: null })));
    setFiles((before) => [...before, ...taken]);
    if (isLookedAt) field.current?.focus();
  };
  const whyNot = whyNotTo(who);
  handle.current = whyNot ? null : {
    reply: (row) => {
      const label = `${row.mine ? t('names.me') : person(row.from)}: ${inLine(row.text ?? row.subject ?? '', 120)}`;
      setEdits(null);
      setReply({ id: row.id, thread: row.thread ?? row.id.slice(0, 32), label });
      field.current?.focus();
    },
    edit: (row) => {
      if (!row.mine || row.text === null) return;
      draft.keep();
      setReply(null);
      setEdits(row);
      setText(row.text);
      field.current?.focus();
    },
    focus: () => field.current?.focus(),
    take: (chosen) => void take(chosen),
    write: (words) => {
      setText((now) => (now.trim() ? `${words}\n${now}` : words));
      field.current?.focus();
    },
  };

  /** All of it went; files that were chosen meanwhile stay for the next message. */
  const clear = (went: Chosen[] = []) => {
    setText('');
    setReply(null);
    setFiles((now) => now.filter((one) => !went.some((other) => other.key === one.key)));
    setPhotos('smaller');
    setHow(USUAL);
    setOpen(false);
  };
  const endEdit = () => {
    setEdits(null);
    setText('');
  };
  const isEmpty = !text.trim() && files.length === 0;

  const send = async () => {
    if (isBusy) return;
    if (edits) {
      const { id } = edits;
      const body = text.trimEnd();
      if (!body || body === edits.text) return endEdit();
      if (await attempt(ask('POST /v1/inbox/{id}/change', { id, body }))) endEdit();
      return;
    }
    if (isEmpty) return;
    const words: Words = { to: who, text: text.trimEnd(), offset_minutes: -new Date().getTimezoneOffset() };
    const root = thread?.slice(0, 32);
    if (reply) {
      words.in_reply_to = reply.id;
      if (reply.thread.length >= 32) words.thread = root ?? reply.thread;
    } else if (thread && root) {
      words.in_reply_to = thread;
      words.thread = root;
    }
    if (how.isUrgent) words.priority = 'urgent';
    if (how.tag) words.tags = [how.tag];
    const by = fromLocalInput(how.replyBy);
    if (by) words.reply_by = by;
    if (how.isTask) words.task = {};
    if (how.disappears) words.expire_after_read_ms = how.disappears;
    const at = fromLocalInput(how.at);
    if (at && files.length === 0) return later(words, at);
    const ended = new AbortController();
    const hasFiles = files.length > 0;
    // Words alone stand nowhere any more once they are on their way: those go on, wherever one looks meanwhile.
    if (hasFiles) sending.current = ended;
    const chosen = files;
    const done = onPending(words.text ?? '', chosen.length);
    if (hasFiles) setBusy(true);
    else {
      clear();
      draft.forget();
    }
    try {
      const part = (key: number, value: number) => setFiles((all) => all.map((one) => (one.key === key ? { ...one, part: value } : one)));
      const sent = await sendOut(words, chosen, photos, part, ended.signal);
      if (hasFiles) {
        clear(chosen);
        draft.forget();
      }
      await done(sent !== 'waits');
    } catch (error) {
      complain(error);
      // What could not be sent stands where it was written.
      setFiles((now) => now.map((one) => ({ ...one, part: null })));
      setText((now) => now || (words.text ?? ''));
      setReply((now) => now ?? reply);
      setHow(how);
      await done(false);
    }
    setBusy(false);
    field.current?.focus();
  };
  const later = async (compose: Words, at: string) => {
    if (!(await attempt(ask('POST /v1/drafts', { compose, at })))) return;
    clear();
    draft.forget();
    changed('drafts');
    tell(t('compose.goes_later'));
  };

  const keys = (event: KeyboardEvent) => {
    if (event.isComposing) return;
    const isCoarse = matchMedia('(pointer: coarse)').matches;
    const sends = event.ctrlKey || event.metaKey || (enterSends.value && !event.shiftKey && !event.altKey && !isCoarse);
    if (event.key === 'Enter' && sends) {
      event.preventDefault();
      void send();
    } else if (event.key === 'Escape') {
      event.preventDefault();
      if (edits) endEdit();
      else if (isOpen) setOpen(false);
      else if (reply) setReply(null);
      else onUp();
    } else if (event.key === 'ArrowUp' && !text && !event.altKey) {
      const last = lastMine();
      if (last) {
        event.preventDefault();
        handle.current?.edit(last);
      }
    }
  };
  const set = (some: Partial<How>) => setHow((before) => ({ ...before, ...some }));
  const extra = [how.isUrgent && t('message.urgent'), how.tag && t(`tag.${how.tag}`), how.isTask && t('compose.task'), how.replyBy && t('compose.has_reply_by'), how.at && t('compose.has_later'), how.disappears > 0 && t('compose.has_disappears')].filter(
    (word): word is string => typeof word === 'string' && word !== '',
  );
  if (whyNot) return <p class="compose-none muted">{whyNot}</p>;
  return (
    <form
      class="compose"
      // Browsers write down what is in a field, for when they start again; the node keeps it, and this page sealed.
      autocomplete="off"
      aria-label={t('compose.label')}
      onSubmit={(event) => {
        event.preventDefault();
        void send();
      }}
    >
      {(reply || edits) && (
        <p class="compose-about">
          <Icon name={edits ? 'edit' : 'reply'} size={16} />
          <span class="cut" dir="auto">
            {edits ? t('compose.edits') : (reply?.label ?? '') || t('compose.answers')}
          </span>
          <Button icon="close" label={t('shell.cancel')} isIconOnly kind="quiet" onClick={() => (edits ? endEdit() : setReply(null))} />
        </p>
      )}
      <ChosenFiles files={files} photos={photos} isBusy={isBusy} leave={(one) => setFiles(files.filter((other) => other !== one))} onPhotos={setPhotos} />
      {records && (
        <Recorder
          key={records}
          what={records}
          place={placeOf(who, thread, true)}
          discard={() => setRecords(null)}
          done={(file) => {
            setRecords(null);
            void take([file]);
          }}
        />
      )}
      {isOpen && <HowFields how={how} set={set} hasFiles={files.length > 0} isGroup={groupOf(who) !== null} />}
      <textarea
        ref={field}
        rows={1}
        dir="auto"
        aria-label={t('compose.field')}
        placeholder={t('compose.field')}
        value={text}
        readOnly={isBusy}
        onInput={(event) => {
          setText(event.currentTarget.value);
          // Whoever types and leaves at once loses nothing.
          if (!edits) draft.write(event.currentTarget.value, reply?.id ?? null);
        }}
        onKeyDown={keys}
        onPaste={(event) => {
          const pasted = [...(event.clipboardData?.files ?? [])];
          if (!pasted.length) return;
          event.preventDefault();
          void take(pasted);
        }}
      />
      <div class="compose-bar">
        <input
          ref={picker}
          type="file"
          multiple
          hidden
          onChange={(event) => {
            void take([...(event.currentTarget.files ?? [])]);
            event.currentTarget.value = '';
          }}
        />
        {!edits && (
          <>
            <Button icon="attach" label={t('compose.attach')} isIconOnly kind="quiet" onClick={() => picker.current?.click()} />
            <Button icon="mic" label={t('recorder.sound')} isIconOnly kind="quiet" pressed={records === 'sound'} disabled={records !== null} onClick={() => setRecords('sound')} />
            <Button icon="video" label={t('recorder.film')} isIconOnly kind="quiet" pressed={records === 'film'} disabled={records !== null} onClick={() => setRecords('film')} />
            <Button icon="clock" label={t('compose.how')} isIconOnly kind="quiet" expanded={isOpen} onClick={() => setOpen(!isOpen)} />
            <span class="compose-extra cut">{extra.join(' · ')}</span>
          </>
        )}
        <span class="grow" />
        {isBusy && <Button label={t('shell.cancel')} kind="quiet" onClick={() => sending.current?.abort()} />}
        <Button
          icon={how.at ? 'clock' : 'send'}
          label={t(edits ? 'compose.save' : how.at ? 'compose.send_later' : 'compose.send')}
          kind="main"
          type="submit"
          disabled={isBusy || (isEmpty && !edits)}
        />
      </div>
    </form>
  );
}

/** Why nothing can be written there; nothing where it can. */
function whyNotTo(who: string): string | null {
  const group = groupOf(who);
  if (group && group.standing !== 'joined') return t(group.standing === 'invited' ? 'compose.not_joined' : 'compose.out');
  return contactOf(who)?.standing === 'blocked' ? t('compose.blocked') : null;
}

function HowFields({ how, set, hasFiles, isGroup }: { how: How; set: (some: Partial<How>) => void; hasFiles: boolean; isGroup: boolean }) {
  const id = useId();
  const soon = localInput(new Date());
  return (
    <fieldset class="how" aria-labelledby={id}>
      <legend id={id} class="unseen">
        {t('compose.how')}
      </legend>
      <div class="how-ticks">
        <label class="tick">
          <input type="checkbox" checked={how.isUrgent} onChange={(event) => set({ isUrgent: event.currentTarget.checked })} />
          {t('message.urgent')}
        </label>
        <label class="tick">
          <input type="checkbox" checked={how.isTask} onChange={(event) => set({ isTask: event.currentTarget.checked })} />
          {t('compose.task')}
        </label>
      </div>
      <Field label={t('compose.tag')}>
        <select value={how.tag} onChange={(event) => set({ tag: event.currentTarget.value as Tag | '' })}>
          <option value="">{t('compose.no_tag')}</option>
          {TAGS.map((tag) => (
            <option value={tag}>{t(`tag.${tag}`)}</option>
          ))}
        </select>
      </Field>
      <Field label={t('compose.reply_by')}>
        <input type="datetime-local" min={soon} value={how.replyBy} onInput={(event) => set({ replyBy: event.currentTarget.value })} />
      </Field>
      <Field label={t('compose.later')} {...(hasFiles ? { hint: t('compose.later_files') } : {})}>
        <input type="datetime-local" min={soon} value={how.at} disabled={hasFiles} onInput={(event) => set({ at: event.currentTarget.value })} />
      </Field>
      {!isGroup && (
        <Field label={t('compose.disappears')}>
          <select value={how.disappears} onChange={(event) => set({ disappears: Number(event.currentTarget.value) })}>
            {DISAPPEARS.map((ms) => (
              <option value={ms}>{t(`disappears.${ms / 3_600_000}` as 'disappears.0')}</option>
            ))}
          </select>
        </Field>
      )}
    </fieldset>
  );
}
