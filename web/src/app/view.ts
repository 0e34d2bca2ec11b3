import { useLocation, useSearch } from 'wouter'

/** What the address says about the page, beside its path */
type View = {
  /** The run whose details are open */
  run: string
  /** The metric that is drawn in them */
  metric: string
  /** What experiments are searched for */
  find: string
}

/** The view that the address holds, and how to come to the next one. */
export function useView() {
  const [path, navigate] = useLocation()
  const search = useSearch()
  const query = new URLSearchParams(search)

  const at = (key: keyof View) => query.get(key) ?? undefined
  const href = (change: Partial<View>) => `${path}${changed(search, change)}`
  return {
    run: at('run'),
    metric: at('metric'),
    find: at('find') ?? '',
    href,
    show: (change: Partial<View>) => navigate(href(change), { replace: true }),
  }
}

/** The query with some keys changed; an empty one is left out. */
function changed(search: string, change: Partial<View>): string {
  const query = new URLSearchParams(search)
  for (const [key, value] of Object.entries(change)) {
    if (value === '') query.delete(key)
    else query.set(key, value)
  }

  return query.size === 0 ? '' : `?${query}`
}
