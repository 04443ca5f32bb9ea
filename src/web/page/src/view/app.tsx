// Shared apps: the list of them, and one that runs in a frame of its own. It is another site's, with no way to the network;
// what it wants of the node it asks for over a channel (`bridge.ts`), and of the person by the windows here.
import { signal } from '@preact/signals';
import { useEffect, useRef, useState } from 'preact/hooks';
import { ask, isUnreachable, upload } from '../api';
import type { AppRow, AppStartRow } from '../api.types';
import { Bridge, sweepCookies, type ToSend } from '../bridge';
import { onLocked } from '../lock';
import { inLine, plain } from '../safe';
import { contacts, groups, link, nameOf, onAnew, onHappened } from '../store';
import { attempt, complain, failure, tell } from '../tell';
import { size as bytesOf } from '../times';
import { go, to, type Place } from '../route';
import { t } from '../words';
import { AppIcon, titlesOf, useApp } from './app-card';
import { useAsked } from './ask';
import { Icon } from './icons';
import { Trouble } from './kit';
import { Button, Dialog, Empty, Field, Time } from './ui';
import './app.css';

const OURS = ['checklist', 'poll', 'text'] as const;
/** What the frame may do; the server says the same. */
const SANDBOX = 'allow-scripts allow-same-origin allow-forms';
/** What a browser may let it have that it would ask nobody for. */
const ALLOWED = 'autoplay; clipboard-write; gamepad';

/** So much an app may keep in this browser. */
const STORED_BYTES_MAX = 64 << 20;
const WATCH_MS = 3_000;

const all = signal<AppRow[] | null>(null);
onLocked(() => (all.value = null));

async function look(): Promise<void> {
  all.value = await ask('GET /v1/apps', {});
}

export function Apps({ place }: { place: Place }) {
  const id = place.parts[0];
  return id ? <Running key={id} id={id} href={place.query.get('href') ?? undefined} /> : <AppList />;
}

function AppList() {
  const asked = useAsked(look, [], { onEvents: true });
  const rows = all.value;
  return (
    <div class="screen">
      <div class="screen-in">
        <header class="screen-head">
          <h1>{t('screen.app')}</h1>
        </header>
        {link.value === 'down' && !rows?.length ? (
          <Empty icon="app" title={t('errors.away')}>
            {t('errors.later')}
          </Empty>
        ) : asked.error && !isUnreachable(asked.error) ? (
          <Trouble error={asked.error} again={asked.again} />
        ) : (
          rows?.length === 0 && (
            <Empty icon="app" title={t('apps.none')}>
              {t('apps.none_more')}
            </Empty>
          )
        )}
        <ul class="apps">
          {rows?.map((row) => (
            <li key={row.id}>
              <Card row={row} />
            </li>
          ))}
        </ul>
        <Begin />
      </div>
    </div>
  );
}

function Card({ row }: { row: AppRow }) {
  const titles = titlesOf(row);
  const inside = (
    <>
      <AppIcon row={row} />
      <span class="app-words">
        <bdi class="app-name cut">{plain(row.name)}</bdi>
        <small class="muted cut">{titles || t('apps.in', { who: nameOf(row.conversation) })}</small>
      </span>
      <span class="app-facts">
        {titles && <span>{t('apps.in', { who: nameOf(row.conversation) })}</span>}
        <span>{t('apps.updates', { count: row.updates })}</span>
        {row.at && <Time at={row.at} />}
        {row.broken ? <span class="bad">{t('apps.broken')}</span> : !row.here && <span>{t('apps.away')}</span>}
        {row.read_only && <span class="chip warn">{t('apps.read_only')}</span>}
      </span>
    </>
  );
  return row.here ? (
    <a class="card app-card" href={to('app', [row.id])}>
      {inside}
    </a>
  ) : (
    <div class="card app-card">{inside}</div>
  );
}

/** Whom something can be sent to, by address. */
function Whom({ value, set }: { value: string; set: (who: string) => void }) {
  return (
    <Field label={t('apps.with')}>
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {groups.value.filter((one) => one.standing === 'joined').map((one) => <option value={one.address}>{plain(one.name)}</option>)}
        {contacts.value.filter((one) => one.standing === 'contact').map((one) => <option value={`dak:${one.peer_id}`}>{plain(one.name)}</option>)}
        <option value="me">{t('names.me')}</option>
      </select>
    </Field>
  );
}

function firstWhom(): string {
  const group = groups.value.find((one) => one.standing === 'joined');
  const contact = contacts.value.find((one) => one.standing === 'contact');
  return group?.address ?? (contact ? `dak:${contact.peer_id}` : 'me');
}

function Begin() {
  const [who, setWho] = useState<string | null>(null);
  const whom = who ?? firstWhom();
  const begin = async (app: (typeof OURS)[number]) => {
    const sent = await attempt(ask('POST /v1/apps', { who: whom, app }));
    if (!sent) return;
    tell(t('apps.begun', { app: t(`apps.${app}`) }));
    go(to('app', [sent.id]));
  };
  return (
    <section class="app-begin" aria-labelledby="apps-begin">
      <h2 id="apps-begin">{t('apps.begin')}</h2>
      <Whom value={whom} set={setWho} />
      <div class="row-wrap">
        {OURS.map((app) => (
          <Button key={app} icon="plus" label={t('apps.begin_with', { app: t(`apps.${app}`) })} onClick={() => void begin(app)} />
        ))}
      </div>
    </section>
  );
}

/** What an app wants the person to allow. */
type Wish = { send: ToSend } | { save: string; bytes: ArrayBuffer } | { link: URL };
type Asked = Wish & { done: () => void; no: (why: Error) => void };

function Running({ id, href }: { id: string; href: string | undefined }) {
  const { value: app, error } = useApp(id);
  const [isKept, setKept] = useState<boolean | null>(null);
  /** How much it keeps in this browser, and whether it is to be forgotten now. */
  const [used, setUsed] = useState(0);
  const [isForgetting, setForgetting] = useState(false);
  const [asked, setAsked] = useState<Asked | null>(null);
  const refuse = (one: Asked) => {
    setAsked(null);
    one.no(new Error(t('apps.refused')));
  };
  const done = () => setAsked(null);
  const why = (!app && error && failure(error)) || (app && !app.here ? (app.broken ? plain(app.broken) : t('apps.away')) : null);
  return (
    <div class="app-place">
      <header class="screen-head">
        <Button icon="back" label={t('apps.close')} isIconOnly kind="quiet" onClick={() => (history.length > 1 ? history.back() : go(to('app')))} />
        {app && <AppIcon row={app} />}
        <div class="app-title">
          <h1 class="cut">
            <bdi>{app ? plain(app.name) : t('screen.app')}</bdi>
          </h1>
          {app && (
            <small class="muted cut">
              {titlesOf(app) || t('apps.in', { who: nameOf(app.conversation) })}
            </small>
          )}
        </div>
        {app && <Button icon="talk" label={t('apps.talk')} isIconOnly kind="quiet" onClick={() => go(to('talk', [app.conversation], { at: app.id }))} />}
      </header>
      {app?.read_only && <p class="pad warn" role="status">{t('apps.read_only_more')}</p>}
      {why && <Empty icon="warn" title={why} />}
      {app && !why && isKept === null && (
        <>
          <p class="pad muted" role="status">{t('apps.starting')}</p>
          <Probe app={app} told={(kept, used) => (setUsed(used), setKept(kept || app.ours))} />
        </>
      )}
      {app && isKept === false && (
        <Empty icon="shield" title={t('apps.open_network')}>
          {t('apps.open_network_more')}
        </Empty>
      )}
      {app && !why && isKept && used > STORED_BYTES_MAX && !isForgetting && (
        <Empty icon="warn" title={t('apps.too_much')}>
          <p>{t('apps.too_much_more', { size: bytesOf(used), most: bytesOf(STORED_BYTES_MAX) })}</p>
          <Button label={t('apps.forget')} kind="main" onClick={() => setForgetting(true)} />
        </Empty>
      )}
      {app && isForgetting && <Probe app={app} forgets told={(_, used) => (setUsed(used), setForgetting(false))} />}
      {app && !why && isKept && used <= STORED_BYTES_MAX && (
        <>
          <Frame app={app} href={href} asked={setAsked} />
          <Watch app={app} told={setUsed} />
        </>
      )}
      {asked && 'send' in asked && <SendIt asked={asked} close={() => refuse(asked)} done={done} />}
      {asked && 'save' in asked && <SaveIt asked={asked} close={() => refuse(asked)} done={done} />}
      {asked && 'link' in asked && <Leave asked={asked} close={() => refuse(asked)} done={done} />}
    </div>
  );
}

function originOf(app: AppStartRow): string {
  // Below the page's own name: what a frame of another site stores, many browsers refuse.
  return `${location.protocol}//${app.host.replace(/\.localhost$/, '')}.${location.host}`;
}

/** Finds out whether this browser keeps documents of the app's host to their host. */
function Probe({ app, told, forgets = false }: { app: AppStartRow; told: (isKept: boolean, used: number) => void; forgets?: boolean }) {
  const frame = useRef<HTMLIFrameElement>(null);
  return (
    <iframe
      ref={frame}
      class="app-probe"
      aria-hidden="true"
      tabIndex={-1}
      title=""
      sandbox={SANDBOX}
      src={`${originOf(app)}/.dak/probe${forgets ? '?forget' : ''}`}
      onLoad={() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = ({ data: { isKept, used } }: MessageEvent<{ isKept: boolean; used: number | null }>) => told(isKept === true, used ?? 0);
        frame.current?.contentWindow?.postMessage('dak probe', originOf(app), [port2]);
      }}
    />
  );
}

/** Looks now and then how much the app keeps in this browser; each time with a document that the app has not seen before. */
function Watch({ app, told }: { app: AppStartRow; told: (used: number) => void }) {
  const [turn, setTurn] = useState(1);
  const [isLooking, setLooking] = useState(false);
  useEffect(() => {
    const timer = setTimeout(() => setLooking(true), WATCH_MS);
    return () => clearTimeout(timer);
  }, [turn]);
  const heard = (_: boolean, used: number) => {
    setLooking(false);
    setTurn(turn + 1);
    told(used);
  };
  return isLooking ? <Probe key={turn} app={app} told={heard} /> : null;
}

function Frame({ app, href, asked }: { app: AppStartRow; href: string | undefined; asked: (asked: Asked) => void }) {
  const frame = useRef<HTMLIFrameElement>(null);
  /** The keys are the app's, unless something of the page has them. */
  const giveKeys = () => {
    if (document.activeElement === document.body) frame.current?.focus();
  };
  useEffect(() => {
    let lastFlood = -Infinity;
    const bridge = new Bridge(app, {
      send: (send) => new Promise((done, no) => asked({ send, done, no })),
      save: (save, bytes) => new Promise((done, no) => asked({ save, bytes, done, no })),
      link: (link) => new Promise((done, no) => asked({ link, done, no })),
      says: (text) => tell(t('apps.says', { name: plain(app.name), text: inLine(text, 300) })),
      flooded: () => {
        if (performance.now() - lastFlood < 10_000) return;
        lastFlood = performance.now();
        tell(t('apps.flooded'), undefined, true);
      },
      refused: (why) => {
        if (performance.now() - lastFlood < 10_000) return;
        lastFlood = performance.now();
        tell(t('apps.not_sent', { why }), undefined, true);
      },
    });
    const hear = ({ data, origin, ports: [port] }: MessageEvent) => {
      if (origin === originOf(app) && data === 'dak app' && port) bridge.open(port);
    };
    addEventListener('message', hear);
    const end = onHappened((row) => {
      if (row.what === 'update' && 'id' in row && row.id === app.id) bridge.happened();
    });
    const back = onAnew(() => bridge.happened());
    return () => {
      removeEventListener('message', hear);
      end();
      back();
      bridge.close();
      sweepCookies();
    };
  }, [app.id]);
  // What the app was told when it said something is a page of its own, whatever it begins with.
  const [path, base] = [(href ?? 'index.html').replace(/^[/\\]+/, ''), `${originOf(app)}/`];
  const page = URL.canParse(path, base) ? new URL(path, base) : null;
  const src = page?.origin === originOf(app) ? page.href : `${base}index.html`;
  const title = t('apps.frame', { name: plain(app.name) });
  return <iframe ref={frame} class="app-frame" title={title} sandbox={SANDBOX} allow={ALLOWED} referrerpolicy="no-referrer" src={src} onLoad={giveKeys} />;
}

function SendIt({ asked, close, done }: { asked: Extract<Asked, { send: ToSend }>; close: () => void; done: () => void }) {
  const [who, setWho] = useState(firstWhom);
  const [isBusy, setBusy] = useState(false);
  const { text, name, bytes } = asked.send;
  const send = async () => {
    setBusy(true);
    try {
      const file = bytes?.byteLength && name ? [await upload(new File([bytes], name), () => undefined, new AbortController().signal)] : [];
      // What is empty needs no way of its own.
      const attachments = bytes?.byteLength === 0 && name ? [{ name, hex: '' }] : [];
      await ask('POST /v1/send', { to: who, text: text ?? '', uploads: file.map(({ id, name }) => ({ id, name })), attachments });
      tell(t('apps.sent', { who: who === 'me' ? t('names.me') : nameOf(who) }));
      done();
      asked.done();
    } catch (error) {
      complain(error);
      setBusy(false);
    }
  };
  return (
    <Dialog title={t('apps.send')} close={close}>
      {text && (
        <blockquote class="said-quote" dir="auto">
          {inLine(text, 600)}
        </blockquote>
      )}
      {name && bytes && (
        <p>
          <Icon name="files" size={16} /> <bdi>{plain(name)}</bdi> <small class="muted">{bytesOf(bytes.byteLength)}</small>
        </p>
      )}
      <p class="muted">{t('apps.send_more')}</p>
      <Whom value={who} set={setWho} />
      <div class="row-end">
        <Button label={t('shell.cancel')} onClick={close} />
        <Button label={t('apps.send_to', { who: who === 'me' ? t('names.me') : nameOf(who) })} kind="main" disabled={isBusy} onClick={() => void send()} />
      </div>
    </Dialog>
  );
}

function SaveIt({ asked, close, done }: { asked: Extract<Asked, { save: string }>; close: () => void; done: () => void }) {
  const save = () => {
    const url = URL.createObjectURL(new Blob([asked.bytes], { type: 'application/octet-stream' }));
    const link = document.createElement('a');
    Object.assign(link, { href: url, download: plain(asked.save).replaceAll('/', '_') });
    link.click();
    setTimeout(() => URL.revokeObjectURL(url), 60_000);
    done();
    asked.done();
  };
  return (
    <Dialog title={t('apps.save')} close={close}>
      <p>
        <Icon name="files" size={16} /> <bdi>{plain(asked.save)}</bdi> <small class="muted">{bytesOf(asked.bytes.byteLength)}</small>
      </p>
      <p class="muted">{t('apps.save_more')}</p>
      <div class="row-end">
        <Button label={t('shell.cancel')} onClick={close} />
        <Button label={t('apps.save_it')} kind="main" onClick={save} />
      </div>
    </Dialog>
  );
}

/** A way out of the app: the address as a whole, and what following it means. */
function Leave({ asked, close, done }: { asked: Extract<Asked, { link: URL }>; close: () => void; done: () => void }) {
  const { link } = asked;
  const isMail = link.protocol === 'mailto:';
  const follow = () => {
    if (isMail) location.assign(link);
    else window.open(link, '_blank', 'noopener,noreferrer');
    done();
    asked.done();
  };
  return (
    <Dialog title={t(isMail ? 'apps.mail' : 'apps.link')} close={close}>
      <p>{t(isMail ? 'apps.mail_more' : 'apps.link_more')}</p>
      <blockquote class="said-quote app-link" dir="ltr">
        {plain(link.href)}
      </blockquote>
      {!isMail && <p class="warn">{t('apps.link_warning')}</p>}
      <div class="row-end">
        <Button label={t('shell.cancel')} onClick={close} />
        <Button label={t(isMail ? 'apps.mail_open' : 'apps.link_open')} kind="main" onClick={follow} />
      </div>
    </Dialog>
  );
}
