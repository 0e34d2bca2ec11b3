import { memo } from 'react'
import { Link } from 'wouter'
import type { Run } from '../api/types'
import { useMessages } from '../i18n/language'
import { MetricValue } from '../metrics/MetricValue'
import { Time } from '../ui/Time'
import { Duration } from './Duration'
import styles from './RunTable.module.css'
import { Source } from './Source'
import { Status } from './Status'
import { ownTags } from './tags'

const SHOWN_TAGS = 2

type RunRowProps = {
  run: Run
  metrics: readonly string[]
  params: readonly string[]
  /** The params that hold nothing but numbers */
  numeric: readonly string[]
  /** Where the run's details are */
  href: string
  open: boolean
  /** Whether it began while the table was looked at */
  fresh: boolean
}

/** One run; drawn again only if something of it changed. */
export const RunRow = memo(function RunRow(props: RunRowProps) {
  const { run, metrics, params, numeric, href, open, fresh } = props
  const words = useMessages()
  const started =
    run.start_ms === null ? words.notStarted : <Time time_ms={run.start_ms} />

  return (
    <tr data-open={open} data-fresh={fresh}>
      <th scope="row" className={styles.name}>
        <Link
          id={`run-${run.id}`}
          href={href}
          title={run.name}
          aria-current={open ? 'true' : undefined}
        >
          {run.name}
        </Link>
        <span className={styles.below}>
          <Status status={run.status} />
          <span>{started}</span>
        </span>
      </th>
      <td className={styles.above}>
        <Status status={run.status} />
      </td>
      <td className={styles.above}>{started}</td>
      <td className={styles.number}>
        <Duration run={run} />
      </td>
      <td className={`${styles.text} ${styles.source}`}>
        <Source run={run} />
      </td>
      {metrics.map((key) => (
        <td key={key} className={styles.number}>
          {run.metrics[key] && <MetricValue value={run.metrics[key].last} />}
        </td>
      ))}
      {params.map((key) => (
        <td
          key={key}
          className={numeric.includes(key) ? styles.number : styles.text}
          title={run.params[key]}
        >
          {run.params[key]}
        </td>
      ))}
      <td className={styles.text} title={run.user}>
        {run.user}
      </td>
      <td className={styles.tags}>
        <Tags run={run} />
      </td>
    </tr>
  )
})

type TagsProps = {
  run: Run
}

function Tags({ run }: TagsProps) {
  const words = useMessages()
  const tags = ownTags(run)
  const rest = tags.slice(SHOWN_TAGS)

  return (
    <>
      {tags.slice(0, SHOWN_TAGS).map(([key, value]) => (
        <span key={key} className={styles.tag} title={`${key}: ${value}`}>
          {key}: {value}
        </span>
      ))}
      {rest.length > 0 && (
        <span title={rest.map(([key, value]) => `${key}: ${value}`).join('\n')}>
          {words.moreTags(rest.length)}
        </span>
      )}
    </>
  )
}
