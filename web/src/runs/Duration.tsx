import type { Run } from '../api/types'
import { useMessages } from '../i18n/language'
import { useNow } from '../ui/clock'
import { span } from '../ui/times'

type DurationProps = {
  run: Run
}

/** How long a run took, or has been running, ticking. */
export function Duration({ run: { start_ms, end_ms, status } }: DurationProps) {
  const words = useMessages()

  if (start_ms === null) return null
  if (end_ms !== null) return <>{span(end_ms - start_ms, words)}</>
  if (status === 'RUNNING') return <Ticking start_ms={start_ms} />
  return null
}

type TickingProps = {
  start_ms: number
}

function Ticking({ start_ms }: TickingProps) {
  const words = useMessages()
  const seconds = Math.max(1, Math.floor((useNow(1_000) - start_ms) / 1_000))

  return <>{span(seconds * 1_000, words)}</>
}
