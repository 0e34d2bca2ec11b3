import { preference, usePreference } from '../ui/preferences'
import { en } from './en'
import { ko } from './ko'

export type Messages = typeof en

const messages = { en, ko } satisfies Record<string, Messages>

export type Language = keyof typeof messages

/** Each language by its own name */
export const LANGUAGES: readonly { language: Language; name: string }[] = [
  { language: 'en', name: 'English' },
  { language: 'ko', name: '한국어' },
]

const language = preference<Language>('language', ['en', 'ko'], () =>
  navigator.language.startsWith('ko') ? 'ko' : 'en',
)

/** The language that is shown: the person's choice, or until then the browser's. */
export function useLanguage(): Language {
  return usePreference(language)
}

/** The words of the shown language. */
export function useMessages(): Messages {
  return messages[useLanguage()]
}

/** Choose a language, for this visit and later ones. */
export function chooseLanguage(chosen: Language): void {
  language.choose(chosen)
  applyLanguage()
}

/** Say the language to the browser: hyphens, voices and fonts follow it. */
export function applyLanguage(): void {
  document.documentElement.lang = language.read()
}
