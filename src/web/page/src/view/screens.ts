// All screens of the page, in the order in which they are offered. Each is a component in a file of its own; a line here is
// all that makes it known.
import type { ComponentType } from 'preact';
import type { Place } from '../route';
import type { WordKey } from '../words';
import type { IconName } from './icons';
import { Talks } from './talks';
import { Apps } from './app';
import { Search } from './search';
import { unread } from '../store';

export interface Screen {
  /** The first segment behind the `#/`. */
  name: string;
  title: WordKey;
  icon: IconName;
  /** It is shown on a phone without being looked for under “More”; at most four are. */
  isFirst?: boolean;
  /** A number to be shown beside it, where it is not 0. */
  badge?: () => number;
  view: ComponentType<{ place: Place }>;
}

export const screens: Screen[] = [
  { name: 'talk', title: 'screen.talk', icon: 'talk', isFirst: true, badge: () => unread.value, view: Talks },
  { name: 'search', title: 'screen.search', icon: 'search', isFirst: true, view: Search },
  { name: 'app', title: 'screen.app', icon: 'app', view: Apps },
];
