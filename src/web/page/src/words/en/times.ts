export const times = {
  'times.today': 'Today',
  'times.yesterday': 'Yesterday',
  'times.yesterday_at': 'yesterday {time}',
  'times.tomorrow_at': 'tomorrow {time}',
  'times.day_at': '{day} {time}',
  'times.seconds': { one: '{count} second', other: '{count} seconds' },
  'times.minutes': { one: '{count} minute', other: '{count} minutes' },
  'times.hours': { one: '{count} hour', other: '{count} hours' },
  'times.years': { one: '{count} year', other: '{count} years' },
  'times.days': { one: '{count} day', other: '{count} days' },
};
