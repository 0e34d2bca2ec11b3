import type { KeyboardEvent, ReactNode } from 'react'
import type { Run } from '../api/types'
import { useView } from '../app/view'
import { useLanguage, useMessages } from '../i18n/language'
import { MetricTable } from '../metrics/MetricTable'
import { CopyButton } from '../ui/CopyButton'
import { Failure } from '../ui/Failure'
import { Icon } from '../ui/Icon'
import { Skeleton } from '../ui/Skeleton'
import { exact } from '../ui/times'
import { Duration } from './Duration'
import { useRun } from './queries'
import styles from './RunDetails.module.css'
import { Source } from './Source'
import { Status } from './Status'
import { ownTags, systemTags } from './tags'

type RunDetailsProps = {
  id: string
}

/** Everything about one run, beside the table. */
export function RunDetails({ id }: RunDetailsProps) {
  const words = useMessages()
  const { show } = useView()
  const { data, error, isPending, refetch } = useRun(id)

  const close = () => {
    show({ run: '', metric: '' })
    document.getElementById(`run-${id}`)?.focus()
  }
  const closeOnEscape = (event: KeyboardEvent) => {
    if (event.key === 'Escape') close()
  }

  return (
    <section
      className={styles.details}
      aria-label={words.run}
      onKeyDown={closeOnEscape}
    >
      <header>
        <h2 ref={focusOnce} tabIndex={-1}>
          {data?.name ?? words.run}
        </h2>
        <button type="button" aria-label={words.close} onClick={close}>
          <Icon name="close" />
        </button>
      </header>
      {isPending && <Skeleton label={words.loadingRun} rows={10} />}
      {error && !data && (
        <Failure title={words.runFailed} error={error} retry={refetch} />
      )}
      {data && <Everything run={data} />}
    </section>
  )
}

type EverythingProps = {
  run: Run
}

function Everything({ run }: EverythingProps) {
  const words = useMessages()
  const language = useLanguage()
  const time = (time_ms: number | null) => time_ms && exact(time_ms, language)

  const about: [string, ReactNode][] = [
    [words.statusName, <Status key="status" status={run.status} />],
    [words.start, time(run.start_ms)],
    [words.end, time(run.end_ms)],
    [words.duration, <Duration key="duration" run={run} />],
    [words.user, run.user],
    [words.source, <Source key="source" run={run} />],
    [
      words.runId,
      <span key="id" className={styles.id}>
        <code>{run.id}</code>
        <CopyButton text={run.id} label={words.runId} />
      </span>,
    ],
  ]
  return (
    <div className={styles.body}>
      <Facts title={words.about} facts={about.filter(([, fact]) => fact)} none="" />
      <MetricTable run={run} />
      <Facts
        title={words.params}
        facts={Object.entries(run.params)}
        none={words.noParams}
      />
      <Facts title={words.tags} facts={ownTags(run)} none={words.noTags} />
      <details>
        <summary>{words.systemTags}</summary>
        <Facts facts={systemTags(run)} none={words.noTags} />
      </details>
    </div>
  )
}

type FactsProps = {
  title?: string
  facts: [string, ReactNode][]
  /** Said where there are none */
  none: string
}

function Facts({ title, facts, none }: FactsProps) {
  return (
    <>
      {title && <h3>{title}</h3>}
      {facts.length === 0 && <p>{none}</p>}
      <dl>
        {facts.map(([name, fact]) => (
          <div key={name}>
            <dt title={name}>{name}</dt>
            <dd>{fact}</dd>
          </div>
        ))}
      </dl>
    </>
  )
}

/** The reader comes to what they opened; a later drawing leaves them where they are. */
function focusOnce(heading: HTMLElement | null): void {
  heading?.focus({ preventScroll: true })
}
