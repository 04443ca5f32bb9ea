// The one catalogue: a file for each screen, put together here.
import { shell } from './en/shell';
import { times } from './en/times';
import { errors } from './en/errors';
import { talks } from './en/talks';
import { talk } from './en/talk';
import { compose } from './en/compose';
import { search } from './en/search';
import { apps } from './en/apps';
import { map } from './en/map';
import { tasks } from './en/tasks';
import { people } from './en/people';
import { groups } from './en/groups';
import { topics } from './en/topics';
import { files } from './en/files';
import { settings } from './en/settings';
import { lock } from './en/lock';
import { offline } from './en/offline';
import { phones } from './en/phones';

export const en = { ...shell, ...times, ...errors, ...talks, ...talk, ...compose, ...search, ...map, ...tasks, ...people, ...groups, ...topics, ...files, ...settings, ...lock, ...offline, ...phones, ...apps };
