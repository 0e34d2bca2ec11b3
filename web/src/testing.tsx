import { QueryClientProvider } from '@tanstack/react-query'
import { cleanup, render } from '@testing-library/react'
import { afterEach, vi } from 'vitest'
import { newQueryClient } from './api/queries'
import type { Experiment, Run } from './api/types'
import { App } from './app/App'
import { chooseLanguage } from './i18n/language'

afterEach(() => {
  cleanup()
  chooseLanguage('en')
})

type Answer = { status?: number; body: unknown }

/** Answer the pages' questions by path; what is not listed is 404. */
export function serve(answers: Record<string, (url: URL) => Answer>) {
  const asked: URL[] = []
  vi.stubGlobal('fetch', async (path: string) => {
    const url = new URL(path, location.origin)
    asked.push(url)
    const { status = 200, body } = answers[url.pathname]?.(url) ?? {
      status: 404,
      body: { error_code: 'RESOURCE_DOES_NOT_EXIST', message: `no ${url.pathname}` },
    }
    return new Response(JSON.stringify(body), { status })
  })
  return asked
}

/** Open the pages at an address. */
export function visit(address: string) {
  history.replaceState(null, '', address)

  return render(
    <QueryClientProvider client={newQueryClient()}>
      <App />
    </QueryClientProvider>,
  )
}

/** An experiment with whatever the test cares about. */
export function experiment(about: Partial<Experiment> = {}): Experiment {
  return {
    id: '1',
    name: 'vessels',
    lifecycle: 'active',
    created_ms: 1,
    updated_ms: 1,
    runs: 1,
    running: 0,
    last_start_ms: 1,
    ...about,
  }
}

/** A run with whatever the test cares about. */
export function run(about: Partial<Run> = {}): Run {
  return {
    id: 'a'.repeat(32),
    experiment_id: '1',
    name: 'quiet-heron-1',
    user: 'minji',
    status: 'FINISHED',
    lifecycle: 'active',
    start_ms: 1_000,
    end_ms: 66_000,
    params: {},
    tags: {},
    metrics: {},
    ...about,
  }
}
