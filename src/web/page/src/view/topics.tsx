// Topics: public boards, one's own, those one reads, and those that are only carried past.
import { useState } from 'preact/hooks';
import { ask, type TopicRow } from '../api';
import { person } from '../people';
import { go, to, type Place } from '../route';
import { plain } from '../safe';
import { changed } from '../stream';
import { size, span } from '../times';
import { number, t } from '../words';
import { useAsked, useDoing } from './ask';
import { Chip, Choice, Form, Loaded, Page, Section, Split, TextField, Trouble } from './kit';
import { Button, Empty, Name, Prose, Time } from './ui';

/** What is only carried for others nothing tells of. */
const LOOK_MS = 30_000;
/** Messages of a topic that are shown at once. */
const SHOWN = 100;

const STANDINGS = ['mine', 'subscribed', 'around'] as const;

export function Topics({ place }: { place: Place }) {
  const asked = useAsked(() => ask('GET /v1/topics'), [], { everyMs: LOOK_MS, of: ['topics'] });
  const [opens, setOpens] = useState<'new' | 'subscribe'>();
  const name = place.parts[0];
  const chosen = asked.value?.find((row) => row.endpoint === name);
  const list = (
    <Loaded asked={asked}>
      {(rows) => (
        <>
          {rows.length === 0 && (
            <Empty icon="topics" title={t('topics.none')}>
              {t('topics.none_note')}
            </Empty>
          )}
          {STANDINGS.map((standing) => {
            const some = rows.filter((row) => row.standing === standing);
            return (
              some.length > 0 && (
                <section key={standing} aria-label={t(`topics.${standing}`)}>
                  <h2 class="list-head">{t(`topics.${standing}`)}</h2>
                  <ul class="rows">
                    {some.map((row) => (
                      <li key={row.endpoint}>
                        <a class="row" href={to('topics', [row.endpoint])} aria-current={row.endpoint === name ? 'page' : undefined}>
                          <span class="row-main">
                            <span class="row-title">
                              <Name>{row.topic}</Name>
                            </span>
                            <span class="dim">
                              {row.standing === 'around' ? t('topics.carried', { count: row.carried }) : t('topics.events', { count: row.last_event })}
                            </span>
                          </span>
                        </a>
                      </li>
                    ))}
                  </ul>
                </section>
              )
            );
          })}
        </>
      )}
    </Loaded>
  );
  return (
    <Page
      title={t('topics.title')}
      lead={t('topics.lead')}
      actions={
        <>
          <Button label={t('topics.subscribe')} onClick={() => setOpens('subscribe')} />
          <Button kind="main" icon="plus" label={t('topics.new')} onClick={() => setOpens('new')} />
        </>
      }
    >
      <Split
        label={t('topics.title')}
        list={list}
        detail={chosen && <Topic key={chosen.endpoint} topic={chosen} />}
        empty={t('topics.choose')}
        back={to('topics')}
      />
      {opens === 'new' && <NewTopic close={() => setOpens(undefined)} />}
      {opens === 'subscribe' && <Subscribe close={() => setOpens(undefined)} />}
    </Page>
  );
}

function Topic({ topic }: { topic: TopicRow }) {
  const isHere = topic.standing !== 'around';
  const events = useAsked(
    async () => (isHere ? ask('GET /v1/topics/events', { topic: topic.topic, limit: SHOWN }) : []),
    [topic.endpoint, topic.standing, topic.last_event],
    { of: ['topics'] },
  );
  const [opens, setOpens] = useState<'end' | 'terms' | 'writers'>();
  const doing = useDoing();
  const does = (what: () => Promise<unknown>) =>
    doing.run(async () => {
      await what();
      changed('topics');
      setOpens(undefined);
    });
  const isMine = topic.standing === 'mine';
  const name = topic.topic;
  return (
    <article class="detail">
      <header class="detail-head">
        <div>
          <h2>
            <Name>{name}</Name>
          </h2>
          <p class="dim">
            {isMine ? (
              t('topics.owner_me')
            ) : (
              <>
                {t('topics.owner')} <Name>{person(topic.owner)}</Name>
              </>
            )}
          </p>
          <p class="chips">
            <Chip look={isMine ? 'accent' : 'plain'}>{t(`topics.is_${topic.standing}`)}</Chip>
            {topic.keep_ms != null && <Chip>{t('topics.keeps', { span: span(topic.keep_ms) })}</Chip>}
            {topic.keep_bytes != null && <Chip>{t('topics.keeps_bytes', { size: size(topic.keep_bytes) })}</Chip>}
            {topic.writers.length > 0 && <Chip>{t('topics.writers', { names: topic.writers.map((writer) => person(writer)).join(', ') })}</Chip>}
          </p>
        </div>
      </header>
      <div class="detail-actions">
        {topic.standing === 'around' && (
          <Button kind="main" disabled={doing.busy} label={t('topics.read')} onClick={() => void does(() => ask('POST /v1/topics/subscribe', { topic: name }))} />
        )}
        {topic.standing === 'subscribed' && (
          <Button disabled={doing.busy} label={t('topics.unsubscribe')} onClick={() => void does(() => ask('POST /v1/topics/unsubscribe', { topic: name }))} />
        )}
        {isHere && <Button label={t('topics.terms')} onClick={() => setOpens('terms')} />}
        {isMine && <Button label={t('topics.set_writers')} onClick={() => setOpens('writers')} />}
        {isMine && <Button kind="bad" label={t('topics.end')} onClick={() => setOpens('end')} />}
      </div>
      {doing.error && !opens && <Trouble error={doing.error} />}
      {isHere ? (
        <Section title={t('topics.published')}>
          <Publish topic={topic} />
          <Loaded asked={events}>
            {(rows) =>
              rows.length === 0 ? (
                <p class="dim">{t('topics.nothing')}</p>
              ) : (
                <ol class="posts">
                  {[...rows].reverse().map((row) => (
                    <li key={row.event}>
                      <p class="dim">
                        <Name>{person(row.from)}</Name>
                        {row.sent_at && (
                          <>
                            {' · '}
                            <Time at={row.sent_at} />
                          </>
                        )}
                        {' · '}
                        {t('topics.number', { number: number(row.event) })}
                        {row.key && <Chip>{plain(row.key)}</Chip>}
                      </p>
                      <p class="post-words" dir="auto">
                        <Prose text={row.text} />
                      </p>
                    </li>
                  ))}
                </ol>
              )
            }
          </Loaded>
        </Section>
      ) : (
        <p class="callout">{t('topics.around_note', { count: topic.carried })}</p>
      )}
      {opens === 'terms' && <Terms topic={topic} close={() => setOpens(undefined)} />}
      {opens === 'writers' && <Writers topic={topic} close={() => setOpens(undefined)} />}
      {opens === 'end' && (
        <Form
          title={t('topics.end_title')}
          lead={t('topics.end_lead')}
          does={t('topics.end')}
          isBad
          doing={doing}
          onDo={() =>
            void does(() => ask('POST /v1/topics/delete', { topic: name })).then((isDone) => {
              if (isDone) go(to('topics'));
            })
          }
          close={() => setOpens(undefined)}
        />
      )}
    </article>
  );
}

function Publish({ topic }: { topic: TopicRow }) {
  const [text, setText] = useState('');
  const doing = useDoing();
  const publish = () =>
    doing.run(async () => {
      await ask('POST /v1/topics/publish', { topic: topic.topic, messages: [{ text }] });
      setText('');
      changed('topics');
    });
  if (topic.standing !== 'mine' && topic.writers.length === 0) return null;
  return (
    <form
      class="publish"
      onSubmit={(event) => {
        event.preventDefault();
        if (text.trim()) void publish();
      }}
    >
      <TextField label={t('topics.publish_words')} value={text} onInput={setText} lines={2} hint={t('topics.publish_note')} />
      {doing.error && <Trouble error={doing.error} />}
      <Button kind="main" type="submit" label={t('topics.publish')} disabled={doing.busy || !text.trim()} />
    </form>
  );
}

function NewTopic({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const [writers, setWriters] = useState('');
  const doing = useDoing();
  const make = () =>
    doing.run(async () => {
      const topic = await ask('POST /v1/topics', { topic: name.trim(), writers: listOf(writers) ?? null });
      changed('topics');
      close();
      go(to('topics', [topic.endpoint]));
    });
  return (
    <Form title={t('topics.new')} lead={t('topics.new_lead')} does={t('topics.make')} doing={doing} isReady={name.trim() !== ''} onDo={() => void make()} close={close}>
      <TextField label={t('topics.name')} value={name} onInput={setName} hint={t('topics.name_hint')} required isFirst />
      <TextField label={t('topics.who_writes')} value={writers} onInput={setWriters} hint={t('topics.who_writes_hint')} />
    </Form>
  );
}

function Subscribe({ close }: { close: () => void }) {
  const [name, setName] = useState('');
  const doing = useDoing();
  const subscribe = () =>
    doing.run(async () => {
      await ask('POST /v1/topics/subscribe', { topic: name.trim() });
      changed('topics');
      close();
    });
  return (
    <Form title={t('topics.subscribe')} lead={t('topics.subscribe_lead')} does={t('topics.subscribe')} doing={doing} isReady={name.trim() !== ''} onDo={() => void subscribe()} close={close}>
      <TextField label={t('topics.name')} value={name} onInput={setName} hint={t('topics.subscribe_hint')} required isFirst />
    </Form>
  );
}

function Writers({ topic, close }: { topic: TopicRow; close: () => void }) {
  const [writers, setWriters] = useState(topic.writers.map((row) => row.name ?? row.address).join(', '));
  const doing = useDoing();
  const save = () =>
    doing.run(async () => {
      await ask('POST /v1/topics', { topic: topic.topic, writers: listOf(writers) ?? [] });
      changed('topics');
      close();
    });
  return (
    <Form title={t('topics.set_writers')} does={t('kit.save')} doing={doing} onDo={() => void save()} close={close}>
      <TextField label={t('topics.who_writes')} value={writers} onInput={setWriters} hint={t('topics.who_writes_hint')} isFirst />
    </Form>
  );
}

const DAY = 86_400_000;
const KEEPS = [0, DAY, 7 * DAY, 30 * DAY, 365 * DAY];
const ROOMS = [0, 1_000_000, 10_000_000, 100_000_000];

function Terms({ topic, close }: { topic: TopicRow; close: () => void }) {
  const [keep, setKeep] = useState(String(topic.keep_ms ?? 0));
  const [room, setRoom] = useState(String(topic.keep_bytes ?? 0));
  const doing = useDoing();
  const options = (of: readonly number[], now: string, words: (value: number) => string) => {
    const all = [...new Set([...of, Number(now)])].sort((a, b) => a - b);
    return all.map((value) => [String(value), value === 0 ? t('topics.as_usual') : words(value)] as const);
  };
  const save = () =>
    doing.run(async () => {
      const terms = { usual: true, keep_ms: Number(keep) || null, keep_bytes: Number(room) || null };
      await ask('POST /v1/topics/set', { topic: topic.topic, terms });
      changed('topics');
      close();
    });
  return (
    <Form title={t('topics.terms')} lead={t('topics.terms_lead')} does={t('kit.save')} doing={doing} onDo={() => void save()} close={close}>
      <Choice label={t('topics.keep')} value={keep} options={options(KEEPS, keep, span)} onChange={setKeep} />
      <Choice label={t('topics.keep_room')} value={room} options={options(ROOMS, room, size)} onChange={setRoom} />
    </Form>
  );
}

/** Names with commas between. */
function listOf(typed: string): string[] | undefined {
  const names = typed.split(',').map((name) => name.trim()).filter(Boolean);
  return names.length ? names : undefined;
}
