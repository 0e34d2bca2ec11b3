import type { Language, Messages } from '../i18n/language'

const SECOND = 1_000
const MINUTE = 60 * SECOND
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

const AGO: [Intl.RelativeTimeFormatUnit, number][] = [
  ['year', 365 * DAY],
  ['month', 30 * DAY],
  ['day', DAY],
  ['hour', HOUR],
  ['minute', MINUTE],
]

/** A time as people near it say it: `3 min. ago`. */
export function ago(time_ms: number, now_ms: number, language: Language): string {
  const words = new Intl.RelativeTimeFormat(language, {
    numeric: 'auto',
    style: 'short',
  })
  const past = time_ms - now_ms
  const [unit, size] = AGO.find(([, size]) => Math.abs(past) >= size) ?? [
    'minute',
    MINUTE,
  ]

  if (Math.abs(past) < MINUTE) return words.format(0, 'second')
  return words.format(Math.trunc(past / size), unit)
}

/** A time in full, in the reader's zone, with the zone's name. */
export function exact(time_ms: number, language: Language): string {
  return new Intl.DateTimeFormat(language, {
    year: 'numeric',
    month: 'short',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
    second: '2-digit',
    timeZoneName: 'short',
  }).format(time_ms)
}

/** A span of time in its two greatest units: `2h 5m`. */
export function span(length_ms: number, { units }: Messages): string {
  const length = Math.max(0, length_ms)
  if (length < SECOND) return `${Math.round(length)}${units.millisecond}`
  if (length < 10 * SECOND && length % SECOND !== 0)
    return `${(length / SECOND).toFixed(1)}${units.second}`
  if (length < MINUTE) return `${Math.floor(length / SECOND)}${units.second}`
  if (length < HOUR) return two(length, MINUTE, units.minute, SECOND, units.second)
  if (length < DAY) return two(length, HOUR, units.hour, MINUTE, units.minute)

  return two(length, DAY, units.day, HOUR, units.hour)
}

function two(
  length: number,
  great: number,
  greatName: string,
  small: number,
  smallName: string,
): string {
  const rest = Math.floor((length % great) / small)
  const head = `${Math.floor(length / great)}${greatName}`

  return rest === 0 ? head : `${head} ${rest}${smallName}`
}
