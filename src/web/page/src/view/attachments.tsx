// Files of a message: pictures are looked at in place, sound and films are played in place, the rest is there to be saved.
// Of a file that comes in parts it says how far it is.
import { signal } from '@preact/signals';
import type { ComponentChildren } from 'preact';
import { useEffect, useState } from 'preact/hooks';
import { ask, contentUrl, firstBytes } from '../api';
import type { FileRow, TalkRow, TransferRow } from '../api.types';
import { onLocked } from '../lock';
import { declaredSize, HEAD_BYTES, isBearable, kindOf, type Size } from '../pictures';
import { called } from '../people';
import { plain } from '../safe';
import { attempt } from '../tell';
import { size as bytesOf } from '../times';
import { to } from '../route';
import { t } from '../words';
import { AppIcon, titlesOf, useApp } from './app-card';
import { Icon } from './icons';
import { Player } from './player';
import { Button, Progress } from './ui';

/** How often it is looked how far files are, while some of them are on the screen: those that come, and those that go. */
const LOOK_MS = 2_000;
const LOOK_OUT_MS = 10_000;
/** Larger files go in parts. */
const INSIDE_BYTES_MAX = 64 * 1024;

const transfers = signal<ReadonlyMap<string, TransferRow>>(new Map());
const watched = new Set<string>();
onLocked(() => (transfers.value = new Map()));
let timer: ReturnType<typeof setTimeout> | undefined;

async function lookAtTransfers(): Promise<void> {
  timer = undefined;
  const rows = await ask('GET /v1/files').catch(() => null);
  if (rows) transfers.value = new Map(rows.map((row) => [row.id, row]));
  const seen = [...watched].map((id) => transfers.value.get(id));
  const comes = seen.some((row) => row?.direction === 'in' && (row.state === 'wanted' || row.state === 'coming'));
  const goes = seen.some((row) => row?.direction === 'out' && row.state !== 'sent' && row.state !== 'cancelled');
  if (comes || goes || !rows) timer = setTimeout(() => void lookAtTransfers(), comes ? LOOK_MS : LOOK_OUT_MS);
}

function useTransfer(id: string | null): TransferRow | undefined {
  useEffect(() => {
    if (!id) return;
    watched.add(id);
    timer ??= setTimeout(() => void lookAtTransfers(), 0);
    return () => void watched.delete(id);
  }, [id]);
  return id ? transfers.value.get(id) : undefined;
}

export function Attachments({ row }: { row: TalkRow }) {
  return (
    <div class="files">
      {row.files.map((file, n) => (
        <Attachment key={file.id ?? n} row={row} file={file} />
      ))}
    </div>
  );
}

function Attachment({ row, file }: { row: TalkRow; file: FileRow }) {
  const goesInParts = row.mine ? file.bytes > INSIDE_BYTES_MAX : file.state !== 'here';
  const transfer = useTransfer(goesInParts ? (file.id ?? null) : null);
  const state = transfer?.state ?? file.state ?? null;
  const isHere = state === 'here' || (row.mine && state !== null && state !== 'cancelled');
  const kind = kindOf(file.name);
  const id = file.id ?? null;
  if (isHere && id && kind === 'picture') return <Picture id={id} file={file} />;
  if (isHere && id && (kind === 'sound' || kind === 'film')) return <Player src={contentUrl(id)} name={file.name} isFilm={kind === 'film'} />;
  if (isHere && kind === 'app') return <App row={row} file={file} fate={state && <Fate row={row} transfer={transfer} state={state} />} />;
  return (
    <div class="file">
      <span class="file-icon">
        <Icon name={kind === 'picture' ? 'image' : kind === 'app' ? 'app' : 'files'} />
      </span>
      <span class="file-words">
        <bdi class="file-name">{plain(file.name)}</bdi>
        <small class="muted">
          {bytesOf(file.bytes)}
          {state && <Fate row={row} transfer={transfer} state={state} />}
        </small>
        {transfer && (state === 'coming' || state === 'wanted') && <Progress part={transfer.bytes ? transfer.have_bytes / transfer.bytes : 0} label={t('file.progress', { name: plain(file.name) })} />}
      </span>
      {id && isHere && <Save id={id} file={file} />}
      {id && state === 'offered' && !row.mine && <Button icon="download" label={t('file.get')} onClick={() => void get(id)} />}
    </div>
  );
}

function Save({ id, file }: { id: string; file: FileRow }) {
  const label = t('file.save', { name: plain(file.name) });
  return (
    <a class="button quiet icon-only" href={contentUrl(id)} download={plain(file.name)} aria-label={label} title={label}>
      <Icon name="download" />
    </a>
  );
}

/** An app stands in the conversation as it calls itself, with what was said in it last. */
function App({ row, file, fate }: { row: TalkRow; file: FileRow; fate: ComponentChildren }) {
  // What cannot be asked for is shown as the file that it is.
  const { value: app } = useApp(row.id);
  return (
    <div class="file">
      {app ? <AppIcon row={app} /> : <span class="app-icon"><Icon name="app" /></span>}
      <span class="file-words">
        <bdi class="file-name">{plain(app?.name ?? file.name)}</bdi>
        {app && titlesOf(app) && <bdi class="app-said">{titlesOf(app)}</bdi>}
        <small class="muted">
          {bytesOf(file.bytes)}
          {fate}
        </small>
      </span>
      {file.id && <Save id={file.id} file={file} />}
      <a class="button main" href={to('app', [row.id])}>
        {t('file.start')}
      </a>
    </div>
  );
}

async function get(id: string): Promise<void> {
  await attempt(ask('POST /v1/files/{id}/get', { id }));
  await lookAtTransfers();
}

function Fate({ row, transfer, state }: { row: TalkRow; transfer: TransferRow | undefined; state: string }) {
  if (row.mine && transfer && state !== 'sent') {
    const part = transfer.bytes ? Math.floor((100 * transfer.safe_bytes) / transfer.bytes) : 0;
    return <> · {t('file.goes', { part })}</>;
  }
  switch (state) {
    case 'offered':
      return <> · {t('file.offered')}</>;
    case 'wanted':
      return <> · {t('file.wanted')}</>;
    case 'coming': {
      const holders = transfer?.holders.map((one) => called(one)).join(', ');
      const part = transfer?.bytes ? Math.floor((100 * transfer.have_bytes) / transfer.bytes) : 0;
      return <> · {holders ? t('file.coming_by', { part, holders }) : t('file.coming', { part })}</>;
    }
    case 'sent':
      return <> · {t('file.sent')}</>;
    case 'cancelled':
      return <> · {t('file.cancelled')}</>;
    default:
      return null;
  }
}

/** A picture is shown once it is known that decoding it is bearable: its size stands in its first bytes. */
function Picture({ id, file }: { id: string; file: FileRow }) {
  const [size, setSize] = useState<Size | 'none' | null>(null);
  const [isWhole, setWhole] = useState(false);
  const [isBroken, setBroken] = useState(false);
  const name = plain(file.name);
  useEffect(() => {
    const ended = new AbortController();
    firstBytes(id, HEAD_BYTES, ended.signal).then(
      (bytes) => setSize(declaredSize(bytes) ?? 'none'),
      () => undefined,
    );
    return () => ended.abort();
  }, [id]);
  if (size !== null && (size === 'none' || !isBearable(size) || isBroken)) {
    const why = size === 'none' || isBroken ? t('file.no_picture') : t('file.too_large', { width: size.width, height: size.height });
    return (
      <div class="file">
        <span class="file-icon">
          <Icon name="image" />
        </span>
        <span class="file-words">
          <bdi class="file-name">{name}</bdi>
          <small class="warn">{why}</small>
        </span>
        <a class="button quiet icon-only" href={contentUrl(id)} download={name} aria-label={t('file.save', { name })}>
          <Icon name="download" />
        </a>
      </div>
    );
  }
  const shown = size && fitted(size);
  return (
    <>
      <button type="button" class="picture" aria-label={t('file.open', { name })} onClick={() => setWhole(true)}>
        {shown && <img src={contentUrl(id)} alt={name} width={shown.width} height={shown.height} decoding="async" loading="lazy" onError={() => setBroken(true)} />}
      </button>
      {isWhole && <Whole id={id} name={name} close={() => setWhole(false)} />}
    </>
  );
}

/** As large as it is shown among messages, before it is there, so that nothing moves when it comes. */
function fitted({ width, height }: Size): Size {
  const scale = Math.min(1, 420 / width, 340 / height);
  return { width: Math.round(width * scale), height: Math.round(height * scale) };
}

function Whole({ id, name, close }: { id: string; name: string; close: () => void }) {
  useEffect(() => {
    const key = (event: KeyboardEvent) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      close();
    };
    document.addEventListener('keydown', key, true);
    return () => document.removeEventListener('keydown', key, true);
  }, []);
  return (
    <div class="whole" role="dialog" aria-modal="true" aria-label={name}>
      <header>
        <bdi class="cut">{name}</bdi>
        <a class="button quiet icon-only" href={contentUrl(id)} download={name} aria-label={t('file.save', { name })}>
          <Icon name="download" />
        </a>
        <button type="button" class="button quiet icon-only" aria-label={t('shell.close')} ref={(button) => button?.focus()} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      <img src={contentUrl(id)} alt={name} onClick={close} />
    </div>
  );
}
