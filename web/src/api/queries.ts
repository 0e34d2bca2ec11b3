import { QueryClient } from '@tanstack/react-query'
import { ApiError } from './client'

/** How often a page that is looked at asks again */
export const LIVE_MS = 2_000

/** The cache of what the server said. A page that is hidden asks nothing. */
export function newQueryClient(): QueryClient {
  return new QueryClient({
    defaultOptions: {
      queries: {
        staleTime: LIVE_MS / 2,
        retryDelay: 500,
        // What the server refused, it refuses again.
        retry: (failures, error) => !(error instanceof ApiError) && failures < 1,
      },
    },
  })
}
