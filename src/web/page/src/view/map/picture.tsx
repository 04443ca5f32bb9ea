// The map drawn: who is near, what they carry, and the ways of one message.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import type { StatusRow as Status } from '../../api';
import { hue, initials, peerOf } from '../../people';
import { plain } from '../../safe';
import { t } from '../../words';
import { SHOWN_MAX, carriersOf, destinationOf, places, type Node, type Place } from './layout';

/** How long a message takes from one node to the next on the picture. */
const JOURNEY_MS = 1100;
const NAME_CHARS = 16;

export function Picture(props: {
  me: string;
  nodes: readonly Node[];
  chosen: Status | undefined;
  person: string | undefined;
  onPerson: (id: string) => void;
}) {
  const frame = useRef<HTMLDivElement>(null);
  const [size, setSize] = useState({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = frame.current;
    if (!element) return;
    const look = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    look();
    const watch = new ResizeObserver(look);
    watch.observe(element);
    return () => watch.disconnect();
  }, []);

  const { chosen } = props;
  const wanted = new Set(chosen ? [destinationOf(chosen), ...carriersOf(chosen)] : []);
  const drawn = [...props.nodes.filter((node) => wanted.has(node.id)), ...props.nodes.filter((node) => !wanted.has(node.id))].slice(0, SHOWN_MAX);
  const key = drawn.map((node) => node.id + node.nearness).sort().join();
  const at = useMemo(() => places(drawn, size.width, size.height), [key, size.width, size.height]);
  const me = at.get('me') ?? { x: 0, y: 0 };
  const hidden = props.nodes.length - drawn.length;

  return (
    <div class="map-frame" ref={frame}>
      {size.width > 0 && (
        <svg class="map" viewBox={`0 0 ${size.width} ${size.height}`} role="group" aria-label={t('map.picture')}>
          <Rings {...size} isCrowded={drawn.some((node) => node.nearness !== 'met')} />
          {drawn
            .filter((node) => node.nearness === 'met')
            .map((node) => (
              <Line key={node.id} from={me} to={at.get(node.id) ?? me} look={`contact${chosen ? ' faded' : ''}`} />
            ))}
          {chosen && <Ways row={chosen} at={at} />}
          {drawn.map((node) => {
            const faded = chosen !== undefined && !wanted.has(node.id);
            return (
              <Dot
                key={node.id}
                node={node}
                place={at.get(node.id) ?? me}
                faded={faded}
                isGoal={chosen !== undefined && destinationOf(chosen) === node.id}
                arrived={chosen?.state === 'delivered' || chosen?.state === 'read'}
                pressed={props.person === node.id}
                onClick={() => props.onPerson(node.id)}
              />
            );
          })}
          <g class="map-me" style={{ transform: `translate(${me.x}px, ${me.y}px)` }}>
            <circle r="26" />
            <text y="5" text-anchor="middle">
              {initials(props.me)}
            </text>
            <text class="map-name" y="43" text-anchor="middle">
              {t('map.me')}
            </text>
          </g>
          {chosen && <Journeys row={chosen} at={at} />}
        </svg>
      )}
      {hidden > 0 && <p class="dim map-hidden">{t('map.hidden', { count: hidden })}</p>}
    </div>
  );
}

function Rings({ width, height, isCrowded }: { width: number; height: number; isCrowded: boolean }) {
  const share = isCrowded ? [0.52, 1] : [0.74];
  return (
    <g class="map-rings" aria-hidden="true">
      {share.map((share) => (
        <ellipse key={share} cx={width / 2} cy={height / 2} rx={Math.max(0, width / 2 - 58) * share} ry={Math.max(0, height / 2 - 46) * share} />
      ))}
    </g>
  );
}

function Line({ from, to, look }: { from: Place; to: Place; look: string }) {
  return <line class={`map-line ${look}`} x1={from.x} y1={from.y} x2={to.x} y2={to.y} aria-hidden="true" />;
}

/** The ways of a message: solid as far as somebody said to have it, dotted where it may go or may have come. */
function Ways({ row, at }: { row: Status; at: Map<string, Place> }) {
  const me = at.get('me');
  const goal = at.get(destinationOf(row));
  if (!me) return null;
  const arrived = row.state === 'delivered' || row.state === 'read';
  const carriers = carriersOf(row).filter((id) => id !== destinationOf(row));
  const direct = row.events.some((event) => event.what === 'custody' && event.who_address === row.to_address);
  return (
    <g aria-hidden="true">
      {carriers.map((id) => {
        const carrier = at.get(id);
        if (!carrier) return null;
        return (
          <g key={id}>
            <Line from={me} to={carrier} look="told" />
            {goal && <Line from={carrier} to={goal} look={`maybe${arrived ? ' arrived' : ''}`} />}
          </g>
        );
      })}
      {goal && direct && <Line from={me} to={goal} look="told" />}
      {goal && !direct && carriers.length === 0 && <Line from={me} to={goal} look={arrived ? 'maybe arrived' : 'maybe'} />}
    </g>
  );
}

function Dot(props: {
  node: Node;
  place: Place;
  faded: boolean;
  isGoal: boolean;
  arrived: boolean;
  pressed: boolean;
  onClick: () => void;
}) {
  const { node, place } = props;
  const whole = node.nickname ? t('map.calls_itself', { name: plain(node.name) }) : plain(node.name);
  const letters = [...whole];
  const name = letters.length > NAME_CHARS ? `${letters.slice(0, NAME_CHARS - 1).join('')}…` : whole;
  const state = [`map-dot hue-${hue(node.id)} ${node.nearness}`, props.faded && 'faded', props.isGoal && 'goal', props.isGoal && props.arrived && 'arrived'];
  const says = [
    whole,
    t(`map.${node.nearness}`),
    node.carries > 0 ? t('map.carries', { count: node.carries }) : '',
    node.waiting > 0 ? t('map.waiting', { count: node.waiting }) : '',
  ];
  return (
    <g class={state.filter(Boolean).join(' ')} style={{ transform: `translate(${place.x}px, ${place.y}px)` }}>
      {node.isGroup ? <rect class="map-body" x="-19" y="-19" width="38" height="38" rx="11" /> : <circle class="map-body" r="20" />}
      <text y="5" text-anchor="middle" aria-hidden="true">
        {initials(node.name)}
      </text>
      {node.carries > 0 && (
        <g class="map-badge" aria-hidden="true">
          <rect x="8" y="-28" rx="9" height="18" width={node.carries > 9 ? 32 : 26} />
          <path d="M13 -22.5h10v7h-10z m0 0l5 4 5 -4" />
          <text x={node.carries > 9 ? 31 : 28} y="-14.5" text-anchor="middle">
            {node.carries}
          </text>
        </g>
      )}
      <text class="map-name" y="37" text-anchor="middle" aria-hidden="true">
        {name}
      </text>
      <circle
        class="map-reach"
        r="30"
        role="button"
        tabIndex={0}
        aria-pressed={props.pressed}
        aria-label={says.filter(Boolean).join(', ')}
        onClick={props.onClick}
        onKeyDown={(event) => {
          if (event.key !== 'Enter' && event.key !== ' ') return;
          event.preventDefault();
          props.onClick();
        }}
      />
    </g>
  );
}

/** A letter goes its way when something new is heard of it; for who wants less motion it stands there at once. */
function Journeys({ row, at }: { row: Status; at: Map<string, Place> }) {
  const letter = useRef<SVGGElement>(null);
  const before = useRef<{ id: string; events: number }>({ id: '', events: 0 });
  useEffect(() => {
    const { id, events } = before.current;
    before.current = { id: row.id, events: row.events.length };
    if (id !== row.id || row.events.length <= events) return;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) return;
    const [me, goal] = [at.get('me'), at.get(destinationOf(row))];
    const moves: [Place, Place][] = [];
    for (const event of row.events.slice(events)) {
      const who = event.who_address ? at.get(peerOf(event.who_address)) : undefined;
      if ((event.what === 'custody' || event.what === 'copy') && me && who) moves.push([me, who]);
      if (event.what === 'delivered' && goal) {
        const carrier = carriersOf(row).map((id) => at.get(id)).find((place) => place && place !== goal);
        const from = carrier ?? me;
        if (from) moves.push([from, goal]);
      }
    }
    void play(letter.current, moves);
  }, [row.id, row.events.length]);
  return (
    <g ref={letter} class="map-letter" aria-hidden="true" opacity="0">
      <circle r="13" />
      <path d="M-7 -5h14v10h-14z m0 0l7 6 7 -6" />
    </g>
  );
}

async function play(letter: SVGGElement | null, moves: readonly [Place, Place][]) {
  for (const [from, to] of moves) {
    if (!letter?.isConnected) return;
    const frames = [
      { transform: `translate(${from.x}px, ${from.y}px)`, opacity: 0 },
      { transform: `translate(${from.x + (to.x - from.x) * 0.15}px, ${from.y + (to.y - from.y) * 0.15}px)`, opacity: 1, offset: 0.15 },
      { transform: `translate(${from.x + (to.x - from.x) * 0.85}px, ${from.y + (to.y - from.y) * 0.85}px)`, opacity: 1, offset: 0.85 },
      { transform: `translate(${to.x}px, ${to.y}px)`, opacity: 0 },
    ];
    try {
      await letter.animate(frames, { duration: JOURNEY_MS, easing: 'ease-in-out' }).finished;
    } catch {
      return;
    }
  }
}
