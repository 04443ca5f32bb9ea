// Parts that the screens beside conversations are made of, on top of those that every screen has.
import type { ComponentChildren } from 'preact';
import './kit.css';
import { useEffect, useId, useRef, useState } from 'preact/hooks';
import { isUnreachable } from '../api';
import { failure, say } from '../tell';
import { t } from '../words';
import type { Asked, Doing } from './ask';
import { Icon } from './icons';
import { Button, Dialog, Name } from './ui';

/** A screen's frame: its title, what can be done on it, and the rest. */
export function Page(props: { title: string; lead?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  return (
    <div class="page">
      <header class="page-head">
        <div class="page-title">
          <h1>{props.title}</h1>
          {props.lead && <p class="dim">{props.lead}</p>}
        </div>
        {props.actions && <div class="page-actions">{props.actions}</div>}
      </header>
      <div class="page-body">{props.children}</div>
    </div>
  );
}

/** A list beside what was chosen of it; on a narrow screen one at a time. */
export function Split(props: { list: ComponentChildren; detail?: ComponentChildren; label: string; empty: string; back: string }) {
  return (
    <div class={`split${props.detail ? ' opened' : ''}`}>
      <section class="split-list" aria-label={props.label}>
        {props.list}
      </section>
      <section class="split-detail">
        {props.detail && (
          <a class="split-back" href={props.back}>
            <Icon name="back" size={18} /> {props.label}
          </a>
        )}
        {props.detail ?? <p class="nothing-chosen dim">{props.empty}</p>}
      </section>
    </div>
  );
}

export function Section(props: { title: string; note?: ComponentChildren; actions?: ComponentChildren; children: ComponentChildren }) {
  const id = useId();
  return (
    <section class="panel" aria-labelledby={id}>
      <div class="panel-head">
        <h2 id={id}>{props.title}</h2>
        {props.actions}
      </div>
      {props.note && <p class="dim">{props.note}</p>}
      {props.children}
    </section>
  );
}

/** What was asked for as soon as it is there; until then that it comes, or why it does not. */
export function Loaded<T>({ asked, children }: { asked: Asked<T>; children: (value: T) => ComponentChildren }) {
  return (
    <>
      {asked.error && <Trouble error={asked.error} again={asked.again} />}
      {asked.value !== undefined ? children(asked.value) : !asked.error && <Waiting />}
    </>
  );
}

export function Waiting() {
  return (
    <div class="waiting" role="status">
      <span class="unseen">{t('kit.loading')}</span>
      <i />
      <i />
      <i />
    </div>
  );
}

export function Trouble({ error, again }: { error: Error; again?: () => void }) {
  return (
    <div class="trouble" role="alert">
      <Icon name="warn" size={18} />
      <p>
        <bdi>{isUnreachable(error) ? t('errors.later') : failure(error)}</bdi>
      </p>
      {again && <Button kind="quiet" label={t('kit.again')} onClick={again} />}
    </div>
  );
}

export function Chip({ look = 'plain', children, title }: { look?: 'plain' | 'good' | 'warn' | 'bad' | 'accent'; children: ComponentChildren; title?: string }) {
  return (
    <span class={`chip ${look}`} title={title}>
      {children}
    </span>
  );
}

interface TextFieldProps {
  label: string;
  value: string;
  onInput: (value: string) => void;
  hint?: string;
  required?: boolean;
  type?: 'text' | 'datetime-local' | 'search';
  lines?: number;
  /** Values that are likely. */
  list?: readonly string[];
  /** It has the focus when it comes. */
  isFirst?: boolean;
  isCode?: boolean;
}

export function TextField(props: TextFieldProps) {
  const id = useId();
  const input = useRef<HTMLInputElement>(null);
  const area = useRef<HTMLTextAreaElement>(null);
  useEffect(() => {
    if (props.isFirst) (input.current ?? area.current)?.focus();
  }, []);
  const same = {
    id,
    dir: 'auto' as const,
    class: props.isCode ? 'code' : '',
    required: props.required ?? false,
    value: props.value,
    spellcheck: !props.isCode && !!props.lines,
    'aria-describedby': props.hint ? `${id}-hint` : undefined,
  };
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      {props.lines ? (
        <textarea {...same} autocomplete="off" ref={area} rows={props.lines} onInput={(event) => props.onInput(event.currentTarget.value)} />
      ) : (
        <input
          {...same}
          ref={input}
          type={props.type ?? 'text'}
          autocomplete="off"
          autocapitalize="off"
          list={props.list ? `${id}-list` : undefined}
          onInput={(event) => props.onInput(event.currentTarget.value)}
        />
      )}
      {props.list && (
        <datalist id={`${id}-list`}>
          {props.list.map((value) => (
            <option value={value} key={value} />
          ))}
        </datalist>
      )}
      {props.hint && <small id={`${id}-hint`}>{props.hint}</small>}
    </div>
  );
}

export function Choice<T extends string>(props: { label: string; value: T; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  const id = useId();
  return (
    <div class="field">
      <label for={id}>{props.label}</label>
      <select id={id} value={props.value} onChange={(event) => props.onChange(event.currentTarget.value as T)}>
        {props.options.map(([value, words]) => (
          <option value={value} key={value}>
            {words}
          </option>
        ))}
      </select>
    </div>
  );
}

export function Tick(props: { label: string; checked: boolean; onChange: (checked: boolean) => void; hint?: string }) {
  const id = useId();
  return (
    <div class="tick">
      <input
        id={id}
        type="checkbox"
        checked={props.checked}
        aria-describedby={props.hint ? `${id}-hint` : undefined}
        onChange={(event) => props.onChange(event.currentTarget.checked)}
      />
      <label for={id}>{props.label}</label>
      {props.hint && <small id={`${id}-hint`}>{props.hint}</small>}
    </div>
  );
}

/** One of a few, side by side. */
export function Tabs<T extends string>(props: { label: string; value: T; options: readonly (readonly [T, string])[]; onChange: (value: T) => void }) {
  const keys = (event: KeyboardEvent) => {
    const turn = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
    if (!turn) return;
    event.preventDefault();
    const at = props.options.findIndex(([value]) => value === props.value);
    const next = (at + turn + props.options.length) % props.options.length;
    const chosen = props.options[next];
    if (chosen) props.onChange(chosen[0]);
    (event.currentTarget as Element).querySelectorAll<HTMLElement>('[role=radio]')[next]?.focus();
  };
  return (
    <div class="tabs" role="radiogroup" aria-label={props.label} onKeyDown={keys}>
      {props.options.map(([value, words]) => (
        <button
          type="button"
          role="radio"
          key={value}
          aria-checked={props.value === value}
          tabIndex={props.value === value ? 0 : -1}
          onClick={() => props.onChange(value)}
        >
          {words}
        </button>
      ))}
    </div>
  );
}

/** A dialog with a form in it. */
export function Form(props: {
  title: string;
  lead?: ComponentChildren;
  /** What its button says. */
  does: string;
  isBad?: boolean;
  doing: Doing;
  isReady?: boolean;
  onDo: () => void;
  close: () => void;
  children?: ComponentChildren;
}) {
  const isReady = props.isReady !== false;
  return (
    <Dialog title={props.title} close={props.close}>
      <form
        class="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isReady) props.onDo();
        }}
      >
        {props.lead && <p class="lead">{props.lead}</p>}
        {props.children}
        {props.doing.error && <Trouble error={props.doing.error} />}
        <div class="form-foot">
          <Button kind="quiet" label={t('shell.cancel')} onClick={props.close} />
          <Button kind={props.isBad ? 'bad' : 'main'} type="submit" label={props.does} disabled={!isReady || props.doing.busy} />
        </div>
      </form>
    </Dialog>
  );
}

/** A text to be taken elsewhere, with a button that copies it. */
export function Copied({ text, label }: { text: string; label: string }) {
  const [isDone, setDone] = useState(false);
  const copy = async () => {
    try {
      await navigator.clipboard.writeText(text);
      setDone(true);
      say(t('kit.copied'));
    } catch {
      setDone(false);
    }
  };
  return (
    <div class="copied">
      <code>
        <Name>{text}</Name>
      </code>
      <Button isIconOnly kind="quiet" icon={isDone ? 'check' : 'copy'} label={label} onClick={() => void copy()} />
    </div>
  );
}

/** What can be chosen of a list, found by a part of its name. */
export function includes(name: string, wanted: string): boolean {
  return name.toLocaleLowerCase().includes(wanted.trim().toLocaleLowerCase());
}
