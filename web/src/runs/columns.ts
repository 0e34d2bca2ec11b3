import type { Run } from '../api/types'

const MOST_COLUMNS = 6

// What the machine did is measured in every run and is seldom what runs are compared by.
const SYSTEM = 'system/'

/** The keys that stand as columns of a table of runs */
export type Columns = { metrics: string[]; params: string[] }

/** Choose the metrics and params that most of these runs have. */
export function columnsOf(runs: readonly Run[]): Columns {
  return {
    metrics: mostCommon(runs.map((run) => Object.keys(run.metrics))),
    params: mostCommon(runs.map((run) => Object.keys(run.params))),
  }
}

/**
 * The keys that occur most often, in the order of the alphabet.
 *
 * So a column stays where it is while new runs come in.
 */
function mostCommon(keysOfRuns: string[][]): string[] {
  const counts = new Map<string, number>()
  for (const key of keysOfRuns.flat()) counts.set(key, (counts.get(key) ?? 0) + 1)

  return [...counts]
    .sort(([a, countA], [b, countB]) => {
      const system = Number(a.startsWith(SYSTEM)) - Number(b.startsWith(SYSTEM))
      return system || countB - countA || compare(a, b)
    })
    .slice(0, MOST_COLUMNS)
    .map(([key]) => key)
    .sort(compare)
}

function compare(a: string, b: string): number {
  return a.localeCompare(b, 'en', { numeric: true })
}
