// The live mesh map: who is near, who carried what of mine, and the life of one message as it happens.

import './map.css';
import { useEffect, useMemo, useState } from 'preact/hooks';
import { ask, type CarryRow, type StatusRow as Status } from '../api';
import { called } from '../people';
import { to } from '../route';
import { inLine, plain } from '../safe';
import { size, span, when } from '../times';
import { number, t } from '../words';
import { useAsked } from './ask';
import { Charts } from './map/charts';
import { carriersOf, destinationOf, isUnderWay, nodesOf, type Node } from './map/layout';
import { Life, StateChip } from './map/life';
import { Picture } from './map/picture';
import { Chip, Loaded, Page, Section, Tabs, Trouble } from './kit';
import { Button, Empty, Name } from './ui';

/** What is carried for others, how much went over a contact and the figures nothing tells of. */
const LOOK_MS = 30_000;
/** One's last messages, of which the map tells. */
const MESSAGES = 60;

async function around() {
  const [me, peers, nearby, contacts, groups] = await Promise.all([
    ask('GET /v1/me'),
    ask('GET /v1/peers'),
    ask('GET /v1/nearby'),
    ask('GET /v1/contacts'),
    ask('GET /v1/groups'),
  ]);
  return { me, peers, nearby, contacts, groups };
}

type Shape = 'picture' | 'table';

export function MeshMap() {
  const seen = useAsked(around, [], { everyMs: LOOK_MS, onEvents: true, of: ['nearby', 'contacts', 'groups'] });
  const sent = useAsked(() => ask('GET /v1/status', { limit: MESSAGES }), [], { onEvents: true });
  const carry = useAsked(() => ask('GET /v1/carry'), [], { everyMs: LOOK_MS, onEvents: true });
  const stats = useAsked(() => ask('GET /v1/stats'), [], { everyMs: LOOK_MS });
  const [shape, setShape] = useState<Shape>('picture');
  const [chosen, setChosen] = useState<string>();
  const [person, setPerson] = useState<string>();

  const messages = useMemo(() => [...(sent.value ?? [])].filter((row) => !(row.sets?.length ?? 0)).reverse(), [sent.value]);
  const nodes = useMemo(
    () => (seen.value ? nodesOf({ ...seen.value, statuses: messages }) : []),
    [seen.value, messages],
  );
  const row = messages.find((row) => row.id === chosen);
  useEffect(() => {
    if (chosen && sent.value && !row) setChosen(undefined);
  }, [chosen, row, sent.value]);

  const met = nodes.filter((node) => node.nearness === 'met').length;
  const near = nodes.filter((node) => node.nearness === 'near').length;
  const out = messages.filter(isUnderWay).length;
  const somebody = nodes.find((node) => node.id === person);

  return (
    <Page
      title={t('map.title')}
      lead={seen.value && [t('map.lead_met', { count: met }), t('map.lead_near', { count: near }), t('map.lead_out', { count: out })].join(' · ')}
      actions={
        <Tabs
          label={t('map.shape')}
          value={shape}
          onChange={setShape}
          options={[
            ['picture', t('map.as_picture')],
            ['table', t('map.as_table')],
          ]}
        />
      }
    >
      <Loaded asked={seen}>
        {({ me }) => (
          <div class="map-layout">
            <section class="map-side-a" aria-label={t('map.people')}>
              {shape === 'picture' ? (
                <>
                  <Picture me={me.name} nodes={nodes} chosen={row} person={person} onPerson={(id) => setPerson((now) => (now === id ? undefined : id))} />
                  <Legend chosen={row !== undefined} />
                </>
              ) : (
                <People nodes={nodes} />
              )}
              {somebody && <Somebody node={somebody} messages={messages} onChoose={setChosen} onClose={() => setPerson(undefined)} />}
              <p class="unseen" role="status">
                {row ? t('map.announce', { to: called(row.to), state: t(`state.${row.state}`) }) : ''}
              </p>
            </section>
            <section class="map-side-b" aria-label={t('map.messages')}>
              <h2>{t('map.messages')}</h2>
              {sent.error && <Trouble error={sent.error} again={sent.again} />}
              {messages.length === 0 && <Empty icon="send" title={t('map.no_messages')}>{t('map.no_messages_note')}</Empty>}
              <ul class="map-messages">
                {messages.slice(0, 30).map((row) => (
                  <Message key={row.id} row={row} open={row.id === chosen} onToggle={() => setChosen((now) => (now === row.id ? undefined : row.id))} />
                ))}
              </ul>
            </section>
          </div>
        )}
      </Loaded>
      <Section title={t('stats.title')} note={t('stats.note')}>
        {carry.value && <Room carry={carry.value} />}
        <Loaded asked={stats}>{(rows) => <Charts rows={rows} />}</Loaded>
      </Section>
    </Page>
  );
}

function Legend({ chosen }: { chosen: boolean }) {
  return (
    <ul class="map-legend quiet" aria-hidden="true">
      <li class="met">{t('map.met')}</li>
      <li class="near">{t('map.near')}</li>
      <li class="away">{t('map.away')}</li>
      {chosen && <li class="told">{t('map.legend_told')}</li>}
      {chosen && <li class="maybe">{t('map.legend_maybe')}</li>}
    </ul>
  );
}

function Message({ row, open, onToggle }: { row: Status; open: boolean; onToggle: () => void }) {
  const words = row.text?.trim() || row.subject || (row.files ? t('map.file_count', { count: row.files }) : t('map.no_words'));
  return (
    <li class={open ? 'open' : undefined}>
      <button type="button" aria-expanded={open} onClick={onToggle}>
        <span class="map-message-head">
          <b><Name>{called(row.to)}</Name></b>
          <StateChip state={row.state} />
        </span>
        <span class="map-message-words">
          <bdi>{inLine(words, 160)}</bdi>
        </span>
        <span class="dim">{row.created_at ? when(row.created_at) : t('kit.unknown_time')}</span>
      </button>
      {open && <Life row={row} />}
    </li>
  );
}

function Somebody(props: { node: Node; messages: readonly Status[]; onChoose: (id: string) => void; onClose: () => void }) {
  const { node } = props;
  const carried = props.messages.filter((row) => isUnderWay(row) && carriersOf(row).includes(node.id));
  const waiting = props.messages.filter((row) => isUnderWay(row) && destinationOf(row) === node.id);
  const list = (title: string, rows: readonly Status[]) =>
    rows.length > 0 && (
      <>
        <h3>{title}</h3>
        <ul class="plain-list">
          {rows.map((row) => (
            <li key={row.id}>
              <button type="button" class="link" onClick={() => props.onChoose(row.id)}>
                <Name>{called(row.to)}</Name>: <bdi>{inLine(row.text ?? '', 80) || t('map.no_words')}</bdi>
              </button>
            </li>
          ))}
        </ul>
      </>
    );
  return (
    <div class="map-somebody panel" role="region" aria-label={plain(node.name)}>
      <div class="panel-head">
        <h2>
          <Name>{node.name}</Name>
        </h2>
        <Chip look={node.nearness === 'met' ? 'good' : 'plain'}>{t(`map.${node.nearness}`)}</Chip>
        <Button label={t('shell.close')} kind="quiet" onClick={props.onClose} />
      </div>
      <p class="dim">
        {node.since && t('map.since', { at: when(node.since) })}
        {!node.since && node.seenAgoMs !== undefined && t('map.seen', { span: span(node.seenAgoMs) })}
        {node.nickname && ` ${t('map.nickname')}`}
      </p>
      {list(t('map.carries_these'), carried)}
      {list(t('map.waiting_these'), waiting)}
      {carried.length + waiting.length === 0 && <p class="dim">{t('map.nothing_of_mine')}</p>}
      {(node.isContact || node.isGroup) && (
        <a class="button plain" href={to('talk', [node.isGroup ? node.id : `dak:${node.id}`])}>
          {t('map.write')}
        </a>
      )}
    </div>
  );
}

function People({ nodes }: { nodes: readonly Node[] }) {
  if (nodes.length === 0) return <Empty icon="map" title={t('map.nobody')}>{t('map.nobody_note')}</Empty>;
  return (
    <div class="table-wrap" tabIndex={0} role="region" aria-label={t('map.people')}>
      <table>
        <caption class="unseen">{t('map.people')}</caption>
        <thead>
          <tr>
            <th scope="col">{t('map.col_name')}</th>
            <th scope="col">{t('map.col_where')}</th>
            <th scope="col" class="figure">
              {t('map.col_carries')}
            </th>
            <th scope="col" class="figure">
              {t('map.col_waiting')}
            </th>
            <th scope="col">{t('map.col_since')}</th>
          </tr>
        </thead>
        <tbody>
          {nodes.map((node) => (
            <tr key={node.id}>
              <th scope="row">
                <Name>{node.name}</Name>
              </th>
              <td>
                <Chip look={node.nearness === 'met' ? 'good' : node.nearness === 'near' ? 'accent' : 'plain'}>{t(`map.${node.nearness}`)}</Chip>
              </td>
              <td class="figure">{node.carries ? number(node.carries) : '–'}</td>
              <td class="figure">{node.waiting ? number(node.waiting) : '–'}</td>
              <td class="dim">
                {node.since ? when(node.since) : node.seenAgoMs !== undefined ? t('map.ago', { span: span(node.seenAgoMs) }) : '–'}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** What is carried for others, and how much room there is. */
function Room({ carry }: { carry: CarryRow }) {
  const others = carry.by_class.contacts.bundles + carry.by_class.strangers.bundles + (carry.by_class.topics?.bundles ?? 0);
  return (
    <dl class="figures">
      <div>
        <dt>{t('room.others')}</dt>
        <dd>{number(others)}</dd>
      </div>
      <div>
        <dt>{t('room.own')}</dt>
        <dd>{number(carry.by_class.own.bundles)}</dd>
      </div>
      <div>
        <dt>{t('room.used')}</dt>
        <dd>{t('room.of', { used: size(carry.bytes), all: size(carry.quota_bytes) })}</dd>
      </div>
      <div>
        <dt>{t('room.disk')}</dt>
        <dd>{size(carry.file_bytes)}</dd>
      </div>
    </dl>
  );
}
