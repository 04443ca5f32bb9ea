// The one catalogue: a file for each screen, put together here.
import { shell } from './en/shell';
import { times } from './en/times';
import { errors } from './en/errors';
import { talks } from './en/talks';
import { talk } from './en/talk';
import { compose } from './en/compose';
import { search } from './en/search';
import { apps } from './en/apps';

export const en = { ...shell, ...times, ...errors, ...talks, ...talk, ...compose, ...search, ...apps };
