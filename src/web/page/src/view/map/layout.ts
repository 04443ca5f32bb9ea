// Where everybody stands on the map: the own node in the middle, who is in contact around it, and the others beyond.

import type { ContactRow, GroupRow, NearbyRow, PeerRow, StatusRow as Status } from '../../api';
import { called, peerOf } from '../../people';

/** How near somebody is: in contact, heard of close by, or neither. */
export type Nearness = 'met' | 'near' | 'away';

export interface Node {
  /** The peer id, or a group's address. */
  id: string;
  name: string;
  /** It gave itself the name; nobody here did. */
  nickname: boolean;
  nearness: Nearness;
  isContact: boolean;
  isGroup: boolean;
  /** Of one's own messages that are on their way, so many it said to hold. */
  carries: number;
  /** So many wait for it. */
  waiting: number;
  since?: string | null;
  seenAgoMs?: number;
}

export interface Place {
  x: number;
  y: number;
}

/** More than these say nothing any more; the table has them all. */
export const SHOWN_MAX = 28;

const SETTLED: readonly Status['state'][] = ['delivered', 'read', 'rejected', 'cancelled', 'expired'];

export function isUnderWay(row: Status): boolean {
  return !SETTLED.includes(row.state);
}

/** Who told us that they hold a copy of a message, and did not give it up. */
export function carriersOf(row: Status): string[] {
  const carriers = row.events.filter((event) => (event.what === 'custody' || event.what === 'copy') && event.who_address);
  const peers = carriers.map((event) => peerOf(event.who_address ?? ''));
  const gone = new Set(row.events.filter((event) => event.what === 'gave_up').map((event) => peerOf(event.who_address ?? '')));
  return [...new Set(peers)].filter((peer) => !gone.has(peer));
}

/** Everybody of whom there is something to show, those who matter most first. */
export function nodesOf(known: {
  peers: readonly PeerRow[];
  nearby: readonly NearbyRow[];
  contacts: readonly ContactRow[];
  statuses: readonly Status[];
  groups: readonly GroupRow[];
}): Node[] {
  const nodes = new Map<string, Node>();
  const names = new Map(known.contacts.map((contact) => [contact.peer_id, contact.name]));
  const node = (id: string): Node => {
    let found = nodes.get(id);
    if (!found) {
      const name = names.get(id);
      found = {
        id,
        name: name ?? called(`dak:${id}`),
        nickname: false,
        nearness: 'away',
        isContact: name !== undefined,
        isGroup: false,
        carries: 0,
        waiting: 0,
      };
      nodes.set(id, found);
    }
    return found;
  };
  const nick = (found: Node, nickname: string | null | undefined) => {
    if (found.isContact || !nickname || found.nickname) return;
    found.name = nickname;
    found.nickname = true;
  };
  for (const row of known.contacts) if (row.standing === 'contact') node(row.peer_id);
  for (const row of known.nearby) {
    const found = node(row.peer_id);
    found.nearness = row.connected ? 'met' : 'near';
    found.seenAgoMs = row.seen_ago_ms;
    nick(found, row.nickname);
  }
  for (const row of known.peers) {
    const found = node(row.peer_id);
    found.nearness = 'met';
    found.since = row.since;
    nick(found, row.nickname);
  }
  const groups = new Map(known.groups.map((group) => [group.address, group.name]));
  for (const row of known.statuses) {
    if (!isUnderWay(row)) continue;
    for (const carrier of carriersOf(row)) {
      const event = row.events.find((event) => peerOf(event.who_address ?? '') === carrier);
      const found = node(carrier);
      if (!found.isContact && !found.nickname && event?.who) found.name = called(event.who);
      found.carries += 1;
    }
    const to = destinationOf(row);
    const found = node(to);
    found.waiting += 1;
    const group = groups.get(row.to_address);
    if (group !== undefined) {
      found.isGroup = true;
      found.name = group;
    }
  }
  const rank = { met: 0, near: 1, away: 2 };
  const weight = (one: Node) => rank[one.nearness] * 4 - (one.carries + one.waiting > 0 ? 3 : 0) - (one.isContact ? 1 : 0);
  return [...nodes.values()].sort((a, b) => weight(a) - weight(b) || (a.name < b.name ? -1 : 1));
}

export function destinationOf(row: Status): string {
  return row.to_address.includes('~group') ? row.to_address : peerOf(row.to_address);
}

/** Places for nodes in a picture of this size, the own one in the middle; the same people stand in the same order. */
export function places(nodes: readonly Node[], width: number, height: number): Map<string, Place> {
  const middle = { x: width / 2, y: height / 2 };
  const found = new Map<string, Place>([['me', middle]]);
  const inner = nodes.filter((node) => node.nearness === 'met');
  const outer = nodes.filter((node) => node.nearness !== 'met');
  const radius = { x: width / 2 - 58, y: height / 2 - 46 };
  const ring = (of: readonly Node[], share: number, turn: number, zigzag: boolean) => {
    const sorted = [...of].sort((a, b) => spread(a.id) - spread(b.id) || (a.id < b.id ? -1 : 1));
    sorted.forEach((node, at) => {
      const angle = turn + (at / sorted.length) * 2 * Math.PI;
      // Crowds stand in two rows, so that names have room.
      const near = zigzag && at % 2 === 1 ? 0.8 : 1;
      found.set(node.id, {
        x: middle.x + Math.cos(angle) * radius.x * share * near,
        y: middle.y + Math.sin(angle) * radius.y * share * near,
      });
    });
  };
  ring(inner, outer.length ? 0.52 : 0.74, -Math.PI / 2 + 0.35, inner.length > 7);
  ring(outer, 1, -Math.PI / 2 + 0.35 + (inner.length ? Math.PI / Math.max(2, outer.length) : 0), outer.length > 12);
  return found;
}

/** A number that follows from an id and from nothing else, so that everybody keeps their place among the others. */
function spread(id: string): number {
  let hash = 2166136261;
  for (let at = 0; at < id.length; at++) hash = Math.imul(hash ^ id.charCodeAt(at), 16777619);
  return hash >>> 0;
}
