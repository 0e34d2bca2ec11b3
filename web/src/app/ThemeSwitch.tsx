import { useMessages } from '../i18n/language'
import { Icon } from '../ui/Icon'
import { chooseTheme, useTheme } from '../ui/theme'
import styles from './Switch.module.css'

/** Goes from light to dark and back. */
export function ThemeSwitch() {
  const words = useMessages()
  const other = useTheme() === 'dark' ? 'light' : 'dark'
  const label = other === 'light' ? words.toLight : words.toDark

  return (
    <button
      type="button"
      className={styles.switch}
      aria-label={label}
      title={label}
      onClick={() => chooseTheme(other)}
    >
      <Icon name={other === 'light' ? 'sun' : 'moon'} />
    </button>
  )
}
