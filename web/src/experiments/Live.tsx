import { useMessages } from '../i18n/language'
import styles from './Live.module.css'

type LiveProps = {
  connected: boolean
}

/** Whether what is seen is what the server has now. */
export function Live({ connected }: LiveProps) {
  const words = useMessages()

  return (
    <span role="status" className={styles.live} data-connected={connected}>
      {connected ? words.live : words.trying}
    </span>
  )
}
