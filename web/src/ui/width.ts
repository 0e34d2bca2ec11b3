import { useSyncExternalStore } from 'react'

// The style sheets say the same width.
const wide = matchMedia('(width >= 800px)')

/** Whether there is room for more than one column. */
export function useWide(): boolean {
  return useSyncExternalStore(watch, () => wide.matches)
}

function watch(changed: () => void): () => void {
  wide.addEventListener('change', changed)
  return () => wide.removeEventListener('change', changed)
}
