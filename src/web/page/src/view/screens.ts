// All screens of the page, in the order in which they are offered. Each is a component in a file of its own; a line here is
// all that makes it known.
import type { ComponentType } from 'preact';
import type { Place } from '../route';
import type { WordKey } from '../words';
import type { IconName } from './icons';
import { Talks } from './talks';
import { Apps } from './app';
import { Search } from './search';
import { Tasks } from './tasks';
import { People } from './people';
import { Groups } from './groups';
import { Topics } from './topics';
import { Files } from './files';
import { MeshMap } from './map';
import { Settings } from './settings';
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
  { name: 'map', title: 'screen.map', icon: 'map', isFirst: true, view: MeshMap },
  { name: 'tasks', title: 'screen.tasks', icon: 'tasks', view: Tasks },
  { name: 'people', title: 'screen.people', icon: 'people', isFirst: true, view: People },
  { name: 'groups', title: 'screen.groups', icon: 'groups', view: Groups },
  { name: 'topics', title: 'screen.topics', icon: 'topics', view: Topics },
  { name: 'files', title: 'screen.files', icon: 'files', view: Files },
  { name: 'settings', title: 'screen.settings', icon: 'settings', view: Settings },
  { name: 'app', title: 'screen.app', icon: 'app', view: Apps },
];
