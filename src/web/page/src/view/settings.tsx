// Settings: this browser's own, the person's, and what the node is set to and finds wrong.
import './settings.css';
import { useState } from 'preact/hooks';
import { ask, endSession, type AwayRow, type CheckRow, type SpaceRow } from '../api';
import { person } from '../people';
import { to } from '../route';
import { plain } from '../safe';
import { enterSends, notifies, theme } from '../settings';
import { fromLocalInput, localInput, size, span } from '../times';
import { changed } from '../stream';
import { chosenLanguage, hasWords, LANGUAGES, t, tx } from '../words';
import { useAsked, useDoing } from './ask';
import { Chip, Choice, Loaded, Page, Section, TextField, Tick, Trouble } from './kit';
import { LockSettings } from './lock-settings';
import { OfflineSettings } from './offline-settings';
import { turnNotifications } from './shell';
import { Button, Name, Time } from './ui';

const CHECK_MS = 30_000;

export function Settings() {
  return (
    <Page title={t('settings.title')}>
      <div class="settings">
        <div class="settings-column">
          <Browser />
          <LockSettings />
          <OfflineSettings />
          <Away />
          <Devices />
          <Card />
        </div>
        <div class="settings-column">
          <Doctor />
          <Space />
          <Node />
        </div>
      </div>
    </Page>
  );
}

function Browser() {
  return (
    <Section title={t('settings.browser')} note={t('settings.browser_note')}>
      <div class="fields">
        <Choice
          label={t('settings.theme')}
          value={theme.value}
          options={[
            ['auto', t('theme.auto')],
            ['light', t('theme.light')],
            ['dark', t('theme.dark')],
          ]}
          onChange={(value) => (theme.value = value)}
        />
        <Choice
          label={t('settings.language')}
          value={chosenLanguage.value}
          options={[['auto', t('settings.language_auto')], ...Object.entries(LANGUAGES).map(([tag, { name }]): [string, string] => [tag, name])]}
          onChange={(value) => {
            chosenLanguage.value = value;
            // Every word of it is another one.
            location.reload();
          }}
        />
      </div>
      <Tick label={t('settings.enter_sends')} checked={enterSends.value} onChange={(isOn) => (enterSends.value = isOn)} hint={t('settings.enter_sends_hint')} />
      <Tick label={t('settings.notify')} checked={notifies.value} onChange={() => void turnNotifications()} hint={t('settings.notify_hint')} />
      <div class="detail-actions">
        <Button label={t('settings.end_session')} onClick={() => void endSession()} />
      </div>
    </Section>
  );
}

function Away() {
  const asked = useAsked(() => ask('GET /v1/away'), [], { of: ['away'] });
  return (
    <Section title={t('away.title')} note={t('away.note')}>
      <Loaded asked={asked}>{(row) => (row.away ? <IsAway row={row} again={asked.again} /> : <GoAway row={row} again={asked.again} />)}</Loaded>
    </Section>
  );
}

function IsAway({ row, again }: { row: AwayRow; again: () => void }) {
  const doing = useDoing();
  return (
    <>
      <p class="callout">
        {row.until && (
          <>
            {t('away.until')} <Time at={row.until} />
            {row.text && ': '}
          </>
        )}
        {row.text && <Name>{row.text}</Name>}
      </p>
      <p class="dim">{row.reply ? t('away.replies') : t('away.replies_not')}</p>
      {doing.error && <Trouble error={doing.error} />}
      <Button
        kind="main"
        label={t('away.back')}
        disabled={doing.busy}
        onClick={() =>
          void doing.run(async () => {
            await ask('DELETE /v1/away');
            again();
          })
        }
      />
    </>
  );
}

function GoAway({ row, again }: { row: AwayRow; again: () => void }) {
  const [text, setText] = useState(row.text ?? '');
  const [until, setUntil] = useState(() => localInput(new Date(Date.now() + 86_400_000)));
  const [replies, setReplies] = useState(row.reply);
  const doing = useDoing();
  const at = fromLocalInput(until);
  return (
    <form
      class="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (!at) return;
        void doing.run(async () => {
          await ask('PUT /v1/away', { text: text.trim(), until: at, reply: replies });
          again();
        });
      }}
    >
      <TextField label={t('away.text')} value={text} onInput={setText} hint={t('away.text_hint')} required />
      <TextField label={t('away.until_field')} value={until} onInput={setUntil} type="datetime-local" required />
      <Tick label={t('away.reply')} checked={replies} onChange={setReplies} hint={t('away.reply_hint')} />
      {doing.error && <Trouble error={doing.error} />}
      <div>
        <Button type="submit" label={t('away.go')} disabled={doing.busy || !at || !text.trim()} />
      </div>
    </form>
  );
}

function Devices() {
  const asked = useAsked(() => ask('GET /v1/web/devices'), [], { of: ['devices'], everyMs: CHECK_MS });
  const doing = useDoing();
  return (
    <Section title={t('devices.title')} note={t('devices.note')}>
      {doing.error && <Trouble error={doing.error} />}
      <Loaded asked={asked}>
        {(rows) => (
          <ul class="rows flat">
            {rows.map((row) => (
              <li key={row.name} class="row">
                <span class="row-main">
                  <span class="row-title">
                    <Name>{row.name}</Name>
                  </span>
                  <span class="dim">
                    {row.since && tx('devices.since', { at: <Time at={row.since} /> })}
                    {row.last_seen && (
                      <>
                        {' · '}
                        {tx('devices.seen', { at: <Time at={row.last_seen} /> })}
                      </>
                    )}
                  </span>
                </span>
                <Button
                  label={t('devices.revoke')}
                  disabled={doing.busy}
                  onClick={() =>
                    void doing.run(async () => {
                      await ask('DELETE /v1/web/devices/{name}', { name: row.name });
                      changed('devices');
                    })
                  }
                />
              </li>
            ))}
          </ul>
        )}
      </Loaded>
    </Section>
  );
}

function Card() {
  return (
    <Section title={t('settings.me')} note={t('settings.me_note')}>
      <a class="button" href={to('people', ['me'])}>
        {t('settings.card')}
      </a>
    </Section>
  );
}

const VERDICTS = { ok: 'good', warn: 'warn', bad: 'bad' } as const;

/** Looked at when somebody comes or asks: the node reads all it has for it. */
function Doctor() {
  const asked = useAsked(() => ask('GET /v1/doctor'), []);
  const doing = useDoing();
  const [showsAll, setShowsAll] = useState(false);
  const worst = (rows: readonly CheckRow[]) => rows.filter((row) => row.verdict !== 'ok');
  return (
    <Section title={t('doctor.title')} actions={<Button kind="quiet" label={t('doctor.again')} onClick={asked.again} />}>
      <Loaded asked={asked}>
        {(rows) => {
          const wrong = worst(rows);
          const shown = showsAll ? rows : wrong;
          return (
            <>
              <p>
                <Chip look={wrong.length === 0 ? 'good' : wrong.some((row) => row.verdict === 'bad') ? 'bad' : 'warn'}>
                  {wrong.length === 0 ? t('doctor.well') : t('doctor.findings', { count: wrong.length })}
                </Chip>
              </p>
              <ul class="checks">
                {shown.map((row) => (
                  <li key={row.check}>
                    <Chip look={VERDICTS[row.verdict]}>{t(`doctor.${row.verdict}`)}</Chip>
                    <div>
                      <p>
                        <b>{plain(row.check)}</b> <bdi>{plain(row.message)}</bdi>
                      </p>
                      {row.verdict !== 'ok' && row.next_step && <p class="dim">{next(row)}</p>}
                    </div>
                  </li>
                ))}
              </ul>
              <Button kind="quiet" label={showsAll ? t('doctor.fewer') : t('doctor.all', { count: rows.length })} expanded={showsAll} onClick={() => setShowsAll(!showsAll)} />
            </>
          );
        }}
      </Loaded>
      {doing.error && <Trouble error={doing.error} />}
    </Section>
  );
}

function next(row: CheckRow): string {
  const key = `next.${row.next?.step ?? ''}`;
  return hasWords(key) ? t(key) : plain(row.next_step ?? '');
}

/** As with the doctor, the node reads the whole record for it. */
function Space() {
  const asked = useAsked(() => ask('GET /v1/space'), []);
  return (
    <Section title={t('space.title')} actions={<Button kind="quiet" label={t('space.again')} onClick={asked.again} />}>
      <Loaded asked={asked}>
        {(rows) => {
          const parts = rows.filter((row) => row.what !== 'conversation');
          const talks = rows.filter((row) => row.what === 'conversation').sort((a, b) => b.bytes - a.bytes);
          const most = Math.max(1, ...parts.map((row) => row.bytes));
          return (
            <>
              <ul class="space">
                {parts.map((row) => (
                  <li key={row.what}>
                    <span>{what(row)}</span>
                    <progress max={most} value={row.bytes} aria-label={t('space.of', { what: what(row) })} />
                    <span class="dim">{size(row.bytes)}</span>
                    {row.keep_ms != null && <small class="dim">{t('space.keeps', { span: span(row.keep_ms) })}</small>}
                  </li>
                ))}
              </ul>
              {talks.length > 0 && (
                <details>
                  <summary>{t('space.talks')}</summary>
                  <ul class="space">
                    {talks.slice(0, 20).map((row, n) => (
                      <li key={n}>
                        <span>{row.with && <Name>{person(row.with)}</Name>}</span>
                        <span class="dim">{t('space.messages', { count: row.count })}</span>
                        <span class="dim">{size(row.bytes)}</span>
                      </li>
                    ))}
                  </ul>
                </details>
              )}
            </>
          );
        }}
      </Loaded>
    </Section>
  );
}

function what(row: SpaceRow): string {
  const key = `space.${row.what}`;
  return hasWords(key) ? t(key) : plain(row.what);
}

async function aboutNode() {
  const [config, version, health] = await Promise.all([ask('GET /v1/config'), ask('GET /v1/version'), ask('GET /v1/health')]);
  return { config, version, health };
}

function Node() {
  const asked = useAsked(aboutNode, [], { everyMs: CHECK_MS });
  return (
    <Section title={t('node.title')} note={t('node.note')}>
      <Loaded asked={asked}>
        {({ config, version, health }) => (
          <>
            <p class="dim">{t('node.facts', { version: plain(version.version), span: span(health.uptime_ms), pid: String(health.pid) })}</p>
            <div class="table-wrap" tabIndex={0} role="region" aria-label={t('node.config')}>
              <table>
                <caption class="unseen">{t('node.config')}</caption>
                <thead>
                  <tr>
                    <th scope="col">{t('node.key')}</th>
                    <th scope="col">{t('node.value')}</th>
                    <th scope="col">{t('node.origin')}</th>
                  </tr>
                </thead>
                <tbody>
                  {config.map((row) => (
                    <tr key={row.key}>
                      <th scope="row">
                        <code>{plain(row.key)}</code>
                      </th>
                      <td>
                        <bdi>{plain(row.value)}</bdi>
                      </td>
                      <td class="dim">{plain(row.origin)}</td>
                    </tr>
                  ))}
                </tbody>
              </table>
            </div>
          </>
        )}
      </Loaded>
    </Section>
  );
}
