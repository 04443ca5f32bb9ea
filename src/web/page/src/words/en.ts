// The one catalogue: a file for each screen, put together here.
import { shell } from './en/shell';
import { times } from './en/times';
import { errors } from './en/errors';
import { talks } from './en/talks';

export const en = { ...shell, ...times, ...errors, ...talks };
