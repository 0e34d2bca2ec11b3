import { Link } from 'wouter'
import mark from '../ui/favicon.svg'
import styles from './Brand.module.css'

/** The mark and the name, leading home. */
export function Brand() {
  return (
    <Link href="/" className={styles.brand}>
      <img src={mark} alt="" width="26" height="26" />
      Runstone
    </Link>
  )
}
