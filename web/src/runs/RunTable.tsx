import { useMemo, useState } from 'react'
import type { Run } from '../api/types'
import { useView } from '../app/view'
import { useMessages } from '../i18n/language'
import { isNumeric } from '../ui/numbers'
import { columnsOf } from './columns'
import { RunRow } from './RunRow'
import styles from './RunTable.module.css'

type RunTableProps = {
  runs: readonly Run[]
}

/** Runs as rows, with the metrics and params that most of them have as columns. */
export function RunTable({ runs }: RunTableProps) {
  const words = useMessages()
  const view = useView()
  const { metrics, params } = useMemo(() => columnsOf(runs), [runs])
  const numeric = useMemo(
    () =>
      params.filter((key) => runs.every((run) => isNumeric(run.params[key] ?? '0'))),
    [params, runs],
  )
  const [openedMs] = useState(Date.now)
  const open = view.run

  return (
    <table className={styles.table}>
      <colgroup span={5} />
      <colgroup span={metrics.length} />
      <colgroup span={params.length} />
      <thead>
        <tr className={styles.groups}>
          <th className={styles.corner} />
          <td colSpan={3} />
          <td className={styles.source} />
          {metrics.length > 0 && (
            <th colSpan={metrics.length} scope="colgroup" className={styles.first}>
              {words.metrics}
            </th>
          )}
          {params.length > 0 && (
            <th colSpan={params.length} scope="colgroup" className={styles.first}>
              {words.params}
            </th>
          )}
          <td colSpan={2} />
        </tr>
        <tr>
          <th scope="col">{words.name}</th>
          <th scope="col">{words.statusName}</th>
          <th scope="col">{words.start}</th>
          <th scope="col" className={styles.number}>
            {words.duration}
          </th>
          <th scope="col" className={styles.source}>
            {words.source}
          </th>
          {metrics.map((key) => (
            <th key={key} scope="col" className={styles.number} title={key}>
              {key}
            </th>
          ))}
          {params.map((key) => (
            <th
              key={key}
              scope="col"
              className={numeric.includes(key) ? styles.number : undefined}
              title={key}
            >
              {key}
            </th>
          ))}
          <th scope="col">{words.user}</th>
          <th scope="col">{words.tags}</th>
        </tr>
      </thead>
      <tbody>
        {runs.map((run) => (
          <RunRow
            key={run.id}
            run={run}
            metrics={metrics}
            params={params}
            numeric={numeric}
            href={view.href({ run: run.id })}
            open={run.id === open}
            fresh={(run.start_ms ?? 0) > openedMs}
          />
        ))}
      </tbody>
    </table>
  )
}
