import { Link, useRoute } from 'wouter'
import type { Experiment } from '../api/types'
import { useView } from '../app/view'
import { useMessages } from '../i18n/language'
import { Failure } from '../ui/Failure'
import { Icon } from '../ui/Icon'
import { Skeleton } from '../ui/Skeleton'
import styles from './ExperimentList.module.css'
import { useExperiments } from './queries'

type ExperimentListProps = {
  /** Called when one was chosen, so that a drawer can close */
  chosen?: () => void
}

/** All experiments, with a search box, and a pulse where something runs. */
export function ExperimentList({ chosen }: ExperimentListProps) {
  const words = useMessages()
  const { find, show } = useView()

  return (
    <nav className={styles.list} aria-label={words.experiments}>
      <label className={styles.search}>
        <Icon name="search" />
        <input
          type="search"
          placeholder={words.findExperiments}
          aria-label={words.findExperiments}
          value={find}
          onChange={(event) => show({ find: event.target.value })}
        />
      </label>
      <Experiments find={find} chosen={chosen} />
    </nav>
  )
}

type ExperimentsProps = {
  find: string
  chosen: (() => void) | undefined
}

function Experiments({ find, chosen }: ExperimentsProps) {
  const words = useMessages()
  const { data, error, isPending, refetch } = useExperiments()
  const [, opened] = useRoute('/experiments/:id')

  if (isPending) return <Skeleton label={words.loadingExperiments} rows={8} />
  if (error && !data)
    return <Failure title={words.experimentsFailed} error={error} retry={refetch} />
  const found = data.filter(({ name }) => contains(name, find))
  if (found.length === 0)
    return (
      <p role="status" className={styles.none}>
        {find === '' ? words.noExperiments : words.noMatch(find)}
      </p>
    )

  return (
    <ul className={styles.items}>
      {found.map((experiment) => (
        <li key={experiment.id}>
          <ExperimentLink
            experiment={experiment}
            open={experiment.id === opened?.id}
            find={find}
            chosen={chosen}
          />
        </li>
      ))}
    </ul>
  )
}

type ExperimentLinkProps = ExperimentsProps & {
  experiment: Experiment
  open: boolean
}

function ExperimentLink({ experiment, open, find, chosen }: ExperimentLinkProps) {
  const words = useMessages()
  const { id, name, runs, running } = experiment
  const query = find === '' ? '' : `?${new URLSearchParams({ find })}`

  return (
    <Link
      href={`/experiments/${id}${query}`}
      className={styles.item ?? ''}
      aria-current={open ? 'page' : undefined}
      title={name}
      onClick={() => chosen?.()}
    >
      <span className={styles.name}>{name}</span>
      {running > 0 && (
        <span
          className={styles.pulse}
          role="img"
          aria-label={words.runningCount(running)}
        />
      )}
      <span className={styles.runs} title={words.runCount(runs)}>
        {runs.toLocaleString()}
      </span>
    </Link>
  )
}

/** Korean may come composed or in single letters, by the system it was typed on. */
function contains(name: string, find: string): boolean {
  return plain(name).includes(plain(find.trim()))
}

function plain(text: string): string {
  return text.normalize('NFC').toLowerCase()
}
