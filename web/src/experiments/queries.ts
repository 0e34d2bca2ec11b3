import { useQuery } from '@tanstack/react-query'
import { read } from '../api/client'
import { LIVE_MS } from '../api/queries'
import type { Experiments } from '../api/types'

/** All experiments, kept live. */
export function useExperiments() {
  return useQuery({
    queryKey: ['experiments'],
    queryFn: ({ signal }) => read<Experiments>('/experiments', {}, signal),
    select: ({ experiments }) => experiments,
    refetchInterval: LIVE_MS,
  })
}
