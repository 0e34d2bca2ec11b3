import { useSyncExternalStore } from 'react'
import { preference } from './preferences'

export type Theme = 'light' | 'dark'

const darkSystem = matchMedia('(prefers-color-scheme: dark)')

const theme = preference<Theme>('theme', ['light', 'dark'], () =>
  darkSystem.matches ? 'dark' : 'light',
)

/** The theme that is shown: the person's, or until they choose the system's. */
export function useTheme(): Theme {
  return useSyncExternalStore(watch, theme.read)
}

/** Choose a theme, for this visit and later ones. */
export function chooseTheme(chosen: Theme): void {
  theme.choose(chosen)
  applyTheme()
}

/** Say the theme to the style sheets. */
export function applyTheme(): void {
  document.documentElement.dataset.theme = theme.read()
}

function watch(changed: () => void): () => void {
  const systemChanged = () => {
    applyTheme()
    changed()
  }
  const stop = theme.watch(changed)
  darkSystem.addEventListener('change', systemChanged)

  return () => {
    stop()
    darkSystem.removeEventListener('change', systemChanged)
  }
}
