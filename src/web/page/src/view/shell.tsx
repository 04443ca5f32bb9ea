// What stands around every screen: where one can go, whether the node is there, and what was told in passing.
import { signal } from '@preact/signals';
import { Component, type ComponentChildren } from 'preact';
import { useEffect, useRef } from 'preact/hooks';
import { session } from '../api';
import { hasModifier, isWriting, stepTalk } from '../keys';
import { lock, lockNow, onLocked } from '../lock';
import { plain } from '../safe';
import { notifies, theme } from '../settings';
import { link, me, outlook, unread } from '../store';
import { forget, spoken, tell, toasts } from '../tell';
import { go, place, to } from '../route';
import { t, tx } from '../words';
import { Icon } from './icons';
import { KeysDialog } from './keys';
import { LinkState } from './link-state';
import { LockedScreen } from './locked';
import { screens, type Screen } from './screens';
import { Avatar, Button, Menu, Time, type MenuItem } from './ui';

export const showsKeys = signal(false);
onLocked(() => (showsKeys.value = false));

export function Shell() {
  const screen = screens.find((one) => one.name === place.value.screen);
  const main = useRef<HTMLElement>(null);
  useEffect(() => {
    const count = unread.value ? `(${unread.value}) ` : '';
    document.title = lock.value === 'locked' ? 'dak' : `${count}${screen ? t(screen.title) : 'dak'} · dak`;
  }, [unread.value, screen, lock.value]);
  useEffect(() => {
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
  if (lock.value === 'locked') return <LockedScreen />;
  if (session.value === 'lost') return <Lost />;
  return (
    <div class="shell">
      <a class="skip" href="#main" onClick={(event) => (event.preventDefault(), main.current?.focus())}>
        {t('shell.skip')}
      </a>
      <Nav />
      <main id="main" ref={main} tabIndex={-1} aria-label={screen ? t(screen.title) : undefined}>
        <LinkState />
        <Boundary key={place.value.screen}>{screen ? <screen.view place={place.value} /> : <p class="pad">{t('screen.none')}</p>}</Boundary>
      </main>
      <Toasts />
      <div class="unseen" aria-live="polite">
        {spoken.value}
      </div>
      {showsKeys.value && <KeysDialog close={() => (showsKeys.value = false)} />}
    </div>
  );
}

function onKey(event: KeyboardEvent): void {
  if (event.altKey && event.code === 'KeyL' && lock.value === 'open') {
    event.preventDefault();
    return void lockNow();
  }
  if (event.defaultPrevented || lock.value === 'locked' || document.querySelector('dialog[open]')) return;
  if (event.altKey && !event.ctrlKey && !event.metaKey) {
    if (event.key === 'ArrowDown' || event.key === 'ArrowUp') {
      const by = event.key === 'ArrowDown' ? 1 : -1;
      event.preventDefault();
      return stepTalk(by, event.shiftKey ? (count) => count > 0 : undefined);
    }
    const screen = /^Digit[1-9]$/.test(event.code) ? screens[Number(event.code.slice(5)) - 1] : undefined;
    if (screen) {
      event.preventDefault();
      return go(to(screen.name));
    }
  }
  if (isWriting(event) || hasModifier(event)) return;
  if (event.key === '?') showsKeys.value = true;
  else if (event.key === '/') go(to('search'));
  else return;
  event.preventDefault();
}

function Nav() {
  const here = place.value.screen;
  const isDeep = here === 'talk' && place.value.parts.length > 0;
  const rest = screens.filter((one) => !one.isFirst);
  const items = (): MenuItem[] => [
    ...rest.map((one): MenuItem => ({ icon: one.icon, label: t(one.title), does: () => go(to(one.name)), isOn: one.name === here })),
    ...own(),
  ];
  return (
    <nav class={`nav${isDeep ? ' deep' : ''}`} aria-label={t('shell.nav')}>
      <ul>
        {screens.map((one) => (
          <li class={one.isFirst ? '' : 'later'}>
            <NavLink screen={one} isHere={one.name === here} />
          </li>
        ))}
      </ul>
      <div class="nav-more">
        <Menu label={t('shell.more')} icon="more" items={items} />
      </div>
      <div class="nav-me">
        <Menu label={t('shell.me', { name: me.value ? plain(me.value.name) : '' })} icon="more" items={own} />
        {me.value && <Avatar name={me.value.name} address={me.value.address} />}
      </div>
    </nav>
  );
}

function NavLink({ screen, isHere }: { screen: Screen; isHere: boolean }) {
  const badge = screen.badge?.() ?? 0;
  return (
    <a href={to(screen.name)} aria-current={isHere ? 'page' : undefined}>
      <span class="nav-icon">
        <Icon name={screen.icon} size={22} />
        {badge > 0 && <span class="badge">{badge > 99 ? '99+' : badge}</span>}
      </span>
      <span class="nav-word">{t(screen.title)}</span>
    </a>
  );
}

/** What is set for this browser, which needs no screen. */
function own(): MenuItem[] {
  const themes = ['auto', 'light', 'dark'] as const;
  return [
    {
      icon: 'settings',
      label: t('shell.theme', { theme: t(`theme.${theme.value}`) }),
      does: () => (theme.value = themes[(themes.indexOf(theme.value) + 1) % themes.length]!),
    },
    {
      icon: 'bell',
      label: t('shell.notify', { state: t(notifies.value ? 'shell.on' : 'shell.off') }),
      does: () => void turnNotifications(),
    },
    { icon: 'info', label: t('shell.keys'), does: () => (showsKeys.value = true) },
    ...(lock.value === 'open' ? [{ icon: 'shield' as const, label: t('lock.now'), does: () => void lockNow() }] : []),
  ];
}

/** Off until somebody wants them, and only where the browser lets them. */
export async function turnNotifications(): Promise<void> {
  if (notifies.value) {
    notifies.value = false;
    return;
  }
  const answer = 'Notification' in window ? await Notification.requestPermission() : 'denied';
  notifies.value = answer === 'granted';
  if (!notifies.value) tell(t('shell.notify_refused'), undefined, true);
}

/** Who is met, in a few words. */
export function Outlook() {
  const row = outlook.value;
  if (!row || link.value === 'down') return null;
  if (row.met_now > 0) return <span class="outlook good">{t('shell.met_now', { count: row.met_now })}</span>;
  if (!row.last_met_at) return <span class="outlook">{t('shell.met_none')}</span>;
  return <span class="outlook">{tx('shell.met_last', { at: <Time at={row.last_met_at} /> })}</span>;
}

function Toasts() {
  return (
    <div class="toasts" role="status">
      {toasts.value.map((toast) => (
        <div class={`toast${toast.isBad ? ' bad' : ''}`} key={toast.id}>
          <span>{toast.text}</span>
          {toast.act && (
            <Button
              label={toast.act.label}
              kind="quiet"
              onClick={() => {
                toast.act?.does();
                forget(toast.id);
              }}
            />
          )}
          <Button icon="close" label={t('shell.close')} isIconOnly kind="quiet" onClick={() => forget(toast.id)} />
        </div>
      ))}
    </div>
  );
}

function Lost() {
  return (
    <main class="lost">
      <h1>{t('lost.title')}</h1>
      <p>{t('lost.body')}</p>
      <pre>
        <code>dak web</code>
      </pre>
      <Button label={t('lost.again')} kind="main" onClick={() => location.reload()} />
    </main>
  );
}

/** A screen that fails takes no other down with it. */
class Boundary extends Component<{ children: ComponentChildren }, { why: string | null }> {
  override state = { why: null as string | null };

  static override getDerivedStateFromError(error: unknown) {
    console.error(error);
    return { why: error instanceof Error ? error.message : String(error) };
  }

  override render() {
    const { why } = this.state;
    return why === null ? this.props.children : <p class="pad">{t('screen.failed', { why: plain(why) })}</p>;
  }
}
