import { lazy, Suspense } from 'react'
import { Link } from 'wouter'
import type { Run } from '../api/types'
import { useView } from '../app/view'
import { useMessages } from '../i18n/language'
import styles from './MetricTable.module.css'
import { MetricValue } from './MetricValue'

// Charts come with their library, when the first one is opened.
const MetricChart = lazy(async () => {
  const { MetricChart } = await import('./MetricChart')
  return { default: MetricChart }
})

type MetricTableProps = {
  run: Run
}

/** The metrics of a run, each in one line; a click draws one. */
export function MetricTable({ run }: MetricTableProps) {
  const words = useMessages()
  const { metric: drawn, href } = useView()
  const keys = Object.keys(run.metrics).sort((a, b) => a.localeCompare(b))

  if (keys.length === 0) return <p className={styles.none}>{words.noMetrics}</p>
  return (
    <>
      <table className={styles.metrics}>
        <thead>
          <tr>
            <th scope="col">{words.metrics}</th>
            <th scope="col">{words.last}</th>
            <th scope="col">{words.min}</th>
            <th scope="col">{words.max}</th>
            <th scope="col">{words.steps}</th>
          </tr>
        </thead>
        <tbody>
          {keys.map((key) => (
            <MetricRow
              key={key}
              name={key}
              run={run}
              drawn={key === drawn}
              href={href({ metric: key === drawn ? '' : key })}
            />
          ))}
        </tbody>
      </table>
      {drawn !== undefined && run.metrics[drawn] && (
        <Suspense fallback={<p role="status">{words.loadingMetric(drawn)}</p>}>
          <MetricChart run={run} metric={drawn} />
        </Suspense>
      )}
    </>
  )
}

type MetricRowProps = {
  name: string
  run: Run
  drawn: boolean
  href: string
}

function MetricRow({ name, run, drawn, href }: MetricRowProps) {
  const words = useMessages()
  const metric = run.metrics[name]

  if (!metric) return null
  return (
    <tr data-drawn={drawn}>
      <th scope="row">
        <Link href={href} replace title={words.showChart(name)} aria-current={drawn}>
          {name}
        </Link>
      </th>
      <td>
        <MetricValue value={metric.last} />
      </td>
      <td>{metric.min !== null && <MetricValue value={metric.min} />}</td>
      <td>{metric.max !== null && <MetricValue value={metric.max} />}</td>
      <td>{metric.step.toLocaleString()}</td>
    </tr>
  )
}
