import type { Value } from '../api/types'
import { isNumber, short } from '../ui/numbers'
import styles from './MetricValue.module.css'

type MetricValueProps = {
  value: Value
}

/** A value in a few digits, whole under the pointer; what is no number stands out. */
export function MetricValue({ value }: MetricValueProps) {
  return (
    <span className={styles.value} data-finite={isNumber(value)} title={String(value)}>
      {short(value)}
    </span>
  )
}
