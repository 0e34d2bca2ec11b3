import { Unreachable } from '../api/client'
import { useMessages } from '../i18n/language'
import styles from './Failure.module.css'

type FailureProps = {
  title: string
  error: Error
  retry: () => unknown
}

/** Says what went wrong, in the server's words, and tries again. */
export function Failure({ title, error, retry }: FailureProps) {
  const words = useMessages()
  const reason = error instanceof Unreachable ? words.unreachable : error.message

  return (
    <div role="alert" className={styles.failure}>
      <strong>{title}</strong>
      <p>{reason}</p>
      <button type="button" className="button" onClick={() => retry()}>
        {words.retry}
      </button>
    </div>
  )
}
