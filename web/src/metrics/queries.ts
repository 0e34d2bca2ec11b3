import { keepPreviousData, useQuery } from '@tanstack/react-query'
import { read } from '../api/client'
import { LIVE_MS } from '../api/queries'
import type { Series } from '../api/types'

/** One metric of one run over steps, thinned by the server to *pixels* columns. */
export function useSeries(runId: string, key: string, pixels: number, live: boolean) {
  return useQuery({
    queryKey: ['runs', runId, 'series', key, pixels],
    queryFn: ({ signal }) =>
      read<Series>(
        `/runs/${encodeURIComponent(runId)}/series`,
        { key, pixels },
        signal,
      ),
    placeholderData: (before, query) =>
      query?.queryKey[1] === runId && query.queryKey[3] === key
        ? keepPreviousData(before)
        : undefined,
    refetchInterval: live ? LIVE_MS : false,
  })
}
