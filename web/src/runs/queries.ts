import { useInfiniteQuery, useQuery } from '@tanstack/react-query'
import { read } from '../api/client'
import { LIVE_MS } from '../api/queries'
import type { Run, RunPage } from '../api/types'

const PAGE_RUNS = 100

/**
 * The runs of an experiment, newest first, page by page, kept live.
 *
 * A renewal reads every page that is open, so more pages are renewed less often.
 */
export function useRuns(experimentId: string) {
  return useInfiniteQuery({
    queryKey: ['experiments', experimentId, 'runs'],
    queryFn: ({ pageParam, signal }) =>
      read<RunPage>(
        `/experiments/${encodeURIComponent(experimentId)}/runs`,
        { limit: PAGE_RUNS, page_token: pageParam },
        signal,
      ),
    initialPageParam: undefined as string | undefined,
    getNextPageParam: (page) => page.next_page_token ?? undefined,
    select: ({ pages }) => onlyOnce(pages.flatMap((page) => page.runs)),
    refetchInterval: ({ state }) =>
      LIVE_MS * Math.max(1, state.data?.pages.length ?? 1),
  })
}

/** One run, kept live until it has ended. */
export function useRun(id: string) {
  return useQuery({
    queryKey: ['runs', id],
    queryFn: ({ signal }) => read<Run>(`/runs/${encodeURIComponent(id)}`, {}, signal),
    refetchInterval: ({ state }) =>
      state.data?.status === 'RUNNING' ? LIVE_MS : 15_000,
  })
}

/** A run that began between two reads stands at the end of one page and in the next. */
function onlyOnce(runs: Run[]): Run[] {
  return [...new Map(runs.map((run) => [run.id, run])).values()]
}
