import { useSyncExternalStore } from 'react'

/** A choice of the person at this browser, kept from visit to visit. */
export type Preference<T extends string> = {
  read: () => T
  choose: (value: T) => void
  watch: (changed: () => void) => () => void
}

/** Make a preference that is one of *values*, and *otherwise* until it is chosen. */
export function preference<T extends string>(
  key: string,
  values: readonly T[],
  otherwise: () => T,
): Preference<T> {
  const name = `runstone.${key}`
  const watchers = new Set<() => void>()
  let chosen = values.find((value) => value === remembered(name))

  return {
    read: () => chosen ?? otherwise(),
    choose: (value) => {
      chosen = value
      remember(name, value)
      for (const changed of watchers) changed()
    },
    watch: (changed) => {
      watchers.add(changed)
      return () => watchers.delete(changed)
    },
  }
}

/** The present value, renewed when it is chosen anew. */
export function usePreference<T extends string>({ watch, read }: Preference<T>): T {
  return useSyncExternalStore(watch, read)
}

// A browser may forbid storage; then a choice lasts as long as the page.
function remembered(name: string): string | null {
  try {
    return localStorage.getItem(name)
  } catch {
    return null
  }
}

function remember(name: string, value: string): void {
  try {
    localStorage.setItem(name, value)
  } catch {
    // Not remembered.
  }
}
