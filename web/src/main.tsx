import { QueryClientProvider } from '@tanstack/react-query'
import { StrictMode } from 'react'
import { createRoot } from 'react-dom/client'
import { newQueryClient } from './api/queries'
import { App } from './app/App'
import { fromMlflow } from './app/links'
import { applyLanguage } from './i18n/language'
import { applyTheme } from './ui/theme'
import './ui/base.css'

applyTheme()
applyLanguage()

const linked = fromMlflow(location.hash)
if (linked !== undefined) history.replaceState(null, '', linked)

const root = document.getElementById('root')
if (!root) throw new Error('index.html has no #root')

createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={newQueryClient()}>
      <App />
    </QueryClientProvider>
  </StrictMode>,
)
