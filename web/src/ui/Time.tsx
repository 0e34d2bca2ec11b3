import { useLanguage } from '../i18n/language'
import { useNow } from './clock'
import { ago, exact } from './times'

type TimeProps = {
  time_ms: number
}

/** How long ago; exactly when, in the reader's zone, under the pointer. */
export function Time({ time_ms }: TimeProps) {
  const language = useLanguage()
  const now = useNow(10_000)

  return (
    <time dateTime={new Date(time_ms).toISOString()} title={exact(time_ms, language)}>
      {ago(time_ms, now, language)}
    </time>
  )
}
