import {
  chooseLanguage,
  LANGUAGES,
  type Language,
  useLanguage,
  useMessages,
} from '../i18n/language'
import styles from './Switch.module.css'

/** Chooses the language of the pages. */
export function LanguageSwitch() {
  const words = useMessages()
  const language = useLanguage()

  return (
    <select
      className={styles.switch}
      aria-label={words.language}
      value={language}
      onChange={(event) => chooseLanguage(event.target.value as Language)}
    >
      {LANGUAGES.map(({ language, name }) => (
        <option key={language} value={language} lang={language}>
          {name}
        </option>
      ))}
    </select>
  )
}
