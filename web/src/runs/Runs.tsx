import { useMessages } from '../i18n/language'
import { Failure } from '../ui/Failure'
import { Skeleton } from '../ui/Skeleton'
import { FirstRun } from './FirstRun'
import { useRuns } from './queries'
import styles from './Runs.module.css'
import { RunTable } from './RunTable'

type RunsProps = {
  experimentId: string
  /** Unknown as long as the experiments are loading */
  experimentName: string | undefined
}

/** The runs of an experiment, newest first, as they come in. */
export function Runs({ experimentId, experimentName }: RunsProps) {
  const words = useMessages()
  const runs = useRuns(experimentId)

  if (runs.isPending)
    return (
      <div className={styles.pending}>
        <Skeleton label={words.loadingRuns} rows={16} />
      </div>
    )
  if (runs.error && !runs.data)
    return <Failure title={words.runsFailed} error={runs.error} retry={runs.refetch} />
  if (runs.data.length === 0) return <FirstRun experimentName={experimentName} />
  return (
    <section className={styles.runs} aria-label={words.runs}>
      <RunTable runs={runs.data} />
      {runs.hasNextPage && (
        <button
          type="button"
          className={`button ${styles.more}`}
          disabled={runs.isFetchingNextPage}
          onClick={() => runs.fetchNextPage({ cancelRefetch: true })}
        >
          {runs.isFetchingNextPage ? words.loadingMore : words.loadMore}
        </button>
      )}
    </section>
  )
}
