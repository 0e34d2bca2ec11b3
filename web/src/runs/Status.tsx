import type { RunStatus } from '../api/types'
import { useMessages } from '../i18n/language'
import { Icon, type IconName } from '../ui/Icon'
import styles from './Status.module.css'

const ICONS: Record<RunStatus, IconName> = {
  RUNNING: 'running',
  SCHEDULED: 'scheduled',
  FINISHED: 'check',
  FAILED: 'failed',
  KILLED: 'killed',
}

type StatusProps = {
  status: RunStatus
}

/** How far a run has come, as a drawing and a word. */
export function Status({ status }: StatusProps) {
  const words = useMessages()

  return (
    <span className={styles.status} data-status={status}>
      <Icon name={ICONS[status]} />
      {words.status[status]}
    </span>
  )
}
