import { useSyncExternalStore } from 'react'

const watchers = new Set<() => void>()
let timer: ReturnType<typeof setInterval> | undefined

/** The time in steps of *everyMs*, whole seconds; who looks is drawn at each step. */
export function useNow(everyMs: number): number {
  return useSyncExternalStore(watch, () => Math.floor(Date.now() / everyMs) * everyMs)
}

// One timer for the page: a table of running runs ticks as one.
function watch(changed: () => void): () => void {
  watchers.add(changed)
  timer ??= setInterval(() => {
    for (const each of watchers) each()
  }, 1_000)

  return () => {
    watchers.delete(changed)
    if (watchers.size > 0) return
    clearInterval(timer)
    timer = undefined
  }
}
