// The small parts that every screen is made of.
import type { ComponentChildren, Ref } from 'preact';
import { useEffect, useId, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { hue, initials } from '../people';
import { plain, prose } from '../safe';
import { now, when, whole } from '../times';
import { t } from '../words';
import { Icon, type IconName } from './icons';

/** A text in one line that somebody else may have written: set apart, so that its direction stays its own. */
export function Name({ children }: { children: string }) {
  return <bdi>{plain(children)}</bdi>;
}

/** What a person wrote, with its lines, its links and what would hide shown. Never HTML. */
export function Prose({ text }: { text: string }) {
  return (
    <>
      {prose(text).map((piece, n) => {
        if ('escaped' in piece) {
          return (
            <span key={n} class="escaped">
              {piece.escaped}
            </span>
          );
        }
        if (!('link' in piece)) return piece.text;
        const { link } = piece;
        const rest = link.href.slice(link.href.indexOf(link.host) + link.host.length).replace(/^\/$/, '');
        return (
          <a key={n} class="link" href={link.href} target="_blank" rel="noopener noreferrer" dir="ltr">
            {link.protocol === 'http:' ? 'http://' : ''}
            <b>{link.host}</b>
            {plain(shownPath(rest))}
          </a>
        );
      })}
    </>
  );
}

/** The path of a link as people read it, where that is the same address. */
function shownPath(path: string): string {
  try {
    return decodeURI(path);
  } catch {
    return path;
  }
}

/** A moment, in words that stay true while they are looked at. */
export function Time({ at, show = when }: { at: string; show?: (at: string) => string }) {
  void now.value;
  return (
    <time dateTime={at} title={whole(at)}>
      {show(at)}
    </time>
  );
}

export function Avatar({ name, address, isGroup = false, isNear = false }: { name: string; address: string; isGroup?: boolean; isNear?: boolean }) {
  return (
    <span class={`avatar hue-${hue(address)}${isGroup ? ' group' : ''}`} aria-hidden="true">
      {initials(name)}
      {isNear && <span class="near-dot" />}
    </span>
  );
}

interface ButtonProps {
  icon?: IconName;
  /** What it does: shown, or said where only its icon is shown. */
  label: string;
  isIconOnly?: boolean;
  kind?: 'plain' | 'main' | 'bad' | 'quiet';
  onClick?: (event: MouseEvent) => void;
  disabled?: boolean;
  pressed?: boolean;
  expanded?: boolean;
  type?: 'button' | 'submit';
  class?: string;
  buttonRef?: Ref<HTMLButtonElement>;
}

export function Button(props: ButtonProps) {
  const { icon, label, isIconOnly = false, kind = 'plain', onClick, disabled = false, pressed, expanded, type = 'button' } = props;
  return (
    <button
      type={type}
      ref={props.buttonRef ?? null}
      class={`button ${kind}${isIconOnly ? ' icon-only' : ''} ${props.class ?? ''}`}
      onClick={onClick ?? (() => undefined)}
      disabled={disabled}
      aria-label={isIconOnly ? label : undefined}
      title={isIconOnly ? label : undefined}
      aria-pressed={pressed}
      aria-expanded={expanded}
    >
      {icon && <Icon name={icon} />}
      {!isIconOnly && <span>{label}</span>}
    </button>
  );
}

export interface MenuItem {
  icon?: IconName;
  label: string;
  does: () => void;
  isBad?: boolean;
  isOn?: boolean;
}

/** A button that opens a list of things to do. Arrows move in it, Escape closes it. */
export function Menu({ label, icon = 'more', items, class: name = '' }: { label: string; icon?: IconName; items: () => (MenuItem | null)[]; class?: string }) {
  const [isOpen, setOpen] = useState(false);
  const button = useRef<HTMLButtonElement>(null);
  const close = (back = true) => {
    setOpen(false);
    if (back) button.current?.focus();
  };
  return (
    <span class={`menu-place ${name}`}>
      <Button icon={icon} label={label} isIconOnly kind="quiet" expanded={isOpen} buttonRef={button} onClick={() => setOpen(!isOpen)} />
      {isOpen && <MenuList label={label} items={items().filter((item) => item !== null)} close={close} anchor={button.current} />}
    </span>
  );
}

/** The list itself, beside what it is about; kept within the window. */
export function MenuList({ label, items, close, anchor, at, isRow = false }: {
  label: string;
  items: MenuItem[];
  close: (back?: boolean) => void;
  anchor?: Element | null;
  at?: { x: number; y: number };
  /** Its items stand beside each other: signs more than words. */
  isRow?: boolean;
}) {
  const list = useRef<HTMLDivElement>(null);
  useLayoutEffect(() => {
    const box = list.current;
    if (!box) return;
    const from = at ? new DOMRect(at.x, at.y, 0, 0) : (anchor?.getBoundingClientRect() ?? new DOMRect());
    const { width, height } = box.getBoundingClientRect();
    const left = Math.max(8, Math.min(from.right - (at ? 0 : width), innerWidth - width - 8));
    const below = from.bottom + 4;
    const top = below + height < innerHeight - 8 ? below : Math.max(8, from.top - height - 4);
    box.style.left = `${left}px`;
    box.style.top = `${top}px`;
    box.querySelector<HTMLElement>('[role=menuitem]')?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    const away = (event: Event) => {
      if (!list.current?.contains(event.target as Node) && !anchor?.contains(event.target as Node)) close(false);
    };
    const scrolled = (event: Event) => {
      if (!list.current?.contains(event.target as Node)) close(false);
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('scroll', scrolled, { capture: true, passive: true });
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('scroll', scrolled, { capture: true });
    };
  }, []);
  const keys = (event: KeyboardEvent) => {
    if (event.key === 'Escape' || event.key === 'Tab') {
      event.preventDefault();
      event.stopPropagation();
      close();
      return;
    }
    rove(event, list.current, '[role=menuitem]', isRow);
  };
  return (
    <div class={`menu${isRow ? ' row' : ''}`} role="menu" aria-label={label} ref={list} onKeyDown={keys}>
      {items.map((item) => (
        <button
          type="button"
          role="menuitem"
          tabIndex={-1}
          class={item.isBad ? 'bad' : ''}
          onClick={() => {
            close();
            item.does();
          }}
        >
          {item.icon ? <Icon name={item.icon} size={18} /> : !isRow && <span class="no-icon" />}
          <span class={isRow && item.icon ? 'unseen' : ''}>{item.label}</span>
          {item.isOn && <Icon name="check" size={16} />}
        </button>
      ))}
    </div>
  );
}

/** Moves the focus among elements of a list by the arrows, Home and End; answers whether it did. */
export function rove(event: KeyboardEvent, list: Element | null, what: string, isRow = false): boolean {
  const all = [...(list?.querySelectorAll<HTMLElement>(what) ?? [])];
  const at = all.findIndex((one) => one.contains(document.activeElement));
  const [back, on] = isRow ? ['ArrowLeft', 'ArrowRight'] : ['ArrowUp', 'ArrowDown'];
  const to = { [on!]: at + 1, [back!]: at < 0 ? all.length - 1 : at - 1, Home: 0, End: all.length - 1 }[event.key];
  if (to === undefined) return false;
  const next = all[Math.max(0, Math.min(to, all.length - 1))];
  if (!next) return false;
  event.preventDefault();
  event.stopPropagation();
  next.focus();
  next.scrollIntoView({ block: 'nearest' });
  return true;
}

/** A window over the page; the focus stays in it, and goes back to where it was. */
export function Dialog({ title, children, close, wide = false }: { title: string; children: ComponentChildren; close: () => void; wide?: boolean }) {
  const box = useRef<HTMLDialogElement>(null);
  // A field in it may take the focus before it is shown.
  const opener = useRef(document.activeElement);
  const id = useId();
  useEffect(() => {
    const dialog = box.current;
    const before = opener.current;
    dialog?.showModal();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus({ preventScroll: true });
    };
  }, []);
  return (
    <dialog
      ref={box}
      class={`dialog${wide ? ' wide' : ''}`}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onClick={(event) => {
        if (event.target === box.current) close();
      }}
    >
      <div class="dialog-in">
        <header>
          <h2 id={id}>{title}</h2>
          <Button icon="close" label={t('shell.close')} isIconOnly kind="quiet" onClick={close} />
        </header>
        {children}
      </div>
    </dialog>
  );
}

/** A field with its label. */
export function Field({ label, children, hint }: { label: string; children: ComponentChildren; hint?: string }) {
  return (
    <label class="field">
      <span>{label}</span>
      {children}
      {hint && <small>{hint}</small>}
    </label>
  );
}

/** What is shown where there is nothing to show. */
export function Empty({ icon, title, children }: { icon: IconName; title: string; children?: ComponentChildren }) {
  return (
    <div class="empty">
      <Icon name={icon} size={40} />
      <p class="empty-title">{title}</p>
      {children && <div class="empty-more">{children}</div>}
    </div>
  );
}

/** How much of something is done, from 0 to 1. */
export function Progress({ part, label }: { part: number; label: string }) {
  return <progress max={1} value={part} aria-label={label} />;
}
