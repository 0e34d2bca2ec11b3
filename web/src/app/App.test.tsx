import { screen, waitFor, within } from '@testing-library/react'
import { userEvent } from '@testing-library/user-event'
import { expect, test } from 'vitest'
import type { Metric, Run } from '../api/types'
import { experiment, run, serve, visit } from '../testing'

const loss: Metric = { last: 0.25, step: 9, time_ms: 1, min: 0.125, max: 2, count: 10 }

function answers(runs: Run[], experiments = [experiment({ runs: runs.length })]) {
  return {
    '/api/v1/experiments': () => ({ body: { experiments } }),
    '/api/v1/experiments/1/runs': () => ({ body: { runs, next_page_token: null } }),
    ...Object.fromEntries(
      runs.map((one) => [`/api/v1/runs/${one.id}`, () => ({ body: one })]),
    ),
  }
}

test('the way in leads to where something happened last', async () => {
  const experiments = [
    experiment({ id: '0', name: 'Default', last_start_ms: null }),
    experiment({ id: '1', name: 'vessels', last_start_ms: 5 }),
  ]
  serve(answers([run()], experiments))

  visit('/')

  expect(await screen.findByText('quiet-heron-1')).toBeTruthy()
  expect(location.pathname).toBe('/experiments/1')
})

test('a run shows its status, length, source and latest values', async () => {
  const tags = {
    'mlflow.source.name': 'src/train.py',
    'mlflow.source.git.commit': 'abcdef0123',
  }
  serve(answers([run({ tags, params: { lr: '3e-4' }, metrics: { loss } })]))

  visit('/experiments/1')

  const row = await screen.findByRole('row', { name: /quiet-heron-1/ })
  for (const text of ['1m 5s', '0.2500', '3e-4', 'abcdef0'])
    expect(within(row).getByText(text)).toBeTruthy()
  expect(within(row).getAllByText('Finished')).toBeTruthy()
  expect(row.textContent).toContain('train.py')
})

test('a value that is no number is seen as what it is', async () => {
  serve(answers([run({ metrics: { loss: { ...loss, last: 'NaN' } } })]))

  visit('/experiments/1')

  expect(await screen.findByRole('cell', { name: 'NaN' })).toBeTruthy()
})

test('an empty experiment says how to record the first run here', async () => {
  serve(answers([], [experiment({ name: '내 "실험"', runs: 0 })]))

  visit('/experiments/1')

  await screen.findByText('Nothing has been recorded here yet')
  const code = screen.getByText(/MLFLOW_TRACKING_URI/)
  await waitFor(() =>
    expect(code.textContent).toContain('set_experiment("내 \\"실험\\"")'),
  )
  expect(code.textContent).toContain(location.origin)
})

test("an error is said in the server's words, and can be tried again", async () => {
  let broken = true
  serve({
    ...answers([run()]),
    '/api/v1/experiments/1/runs': () =>
      broken
        ? {
            status: 503,
            body: { error_code: 'X', message: 'the database is migrating' },
          }
        : { body: { runs: [run()], next_page_token: null } },
  })
  visit('/experiments/1')
  const alert = await screen.findByRole('alert')
  expect(alert.textContent).toContain('the database is migrating')

  broken = false
  await userEvent.click(within(alert).getByRole('button', { name: 'Try again' }))

  expect(await screen.findByText('quiet-heron-1')).toBeTruthy()
})

test('more runs are loaded by the page token', async () => {
  const asked = serve({
    ...answers([run()]),
    '/api/v1/experiments/1/runs': (url) =>
      url.searchParams.get('page_token') === 'next'
        ? { body: { runs: [run({ id: 'b', name: 'older' })], next_page_token: null } }
        : { body: { runs: [run()], next_page_token: 'next' } },
  })
  visit('/experiments/1')

  await userEvent.click(await screen.findByRole('button', { name: 'Load more' }))

  expect(await screen.findByText('older')).toBeTruthy()
  expect(screen.getByText('quiet-heron-1')).toBeTruthy()
  expect(screen.queryByRole('button', { name: 'Load more' })).toBeNull()
  expect(asked.some((url) => url.searchParams.get('page_token') === 'next')).toBe(true)
})

test('a run that begins appears by itself', async () => {
  const runs = [run()]
  serve(answers(runs))
  visit('/experiments/1')
  await screen.findByText('quiet-heron-1')

  runs.unshift(run({ id: 'b', name: 'just-begun', status: 'RUNNING', end_ms: null }))

  expect(await screen.findByText('just-begun', {}, { timeout: 6_000 })).toBeTruthy()
}, 10_000)

test('a run opens beside the table, the address says so, and Escape closes it', async () => {
  serve(answers([run({ metrics: { loss }, params: { seed: '7' } })]))
  visit('/experiments/1')

  await userEvent.click(await screen.findByRole('link', { name: 'quiet-heron-1' }))

  const details = await screen.findByRole('region', { name: 'Run' })
  expect(location.search).toBe(`?run=${run().id}`)
  expect(await within(details).findByText('0.1250')).toBeTruthy()
  expect(within(details).getByText('seed')).toBeTruthy()

  await userEvent.keyboard('{Escape}')

  expect(screen.queryByRole('region', { name: 'Run' })).toBeNull()
  expect(document.activeElement?.textContent).toBe('quiet-heron-1')
})

test('experiments are found by a part of the name, also in single Korean letters', async () => {
  const experiments = [experiment(), experiment({ id: '2', name: '음성 향상' })]
  serve(answers([run()], experiments))
  visit('/experiments/1')
  const list = await screen.findByRole('navigation', { name: 'Experiments' })
  await within(list).findByText('음성 향상')

  await userEvent.type(screen.getByRole('searchbox'), '음성'.normalize('NFD'))

  expect(within(list).getByText('음성 향상')).toBeTruthy()
  expect(within(list).queryByText('vessels')).toBeNull()
})

test('the pages speak Korean when asked to', async () => {
  serve(answers([run()]))
  visit('/experiments/1')
  await screen.findByText('quiet-heron-1')

  await userEvent.selectOptions(screen.getByLabelText('Language'), '한국어')

  expect(screen.getByRole('columnheader', { name: '소요 시간' })).toBeTruthy()
  expect(document.documentElement.lang).toBe('ko')
})

test('an experiment where something runs has a pulse', async () => {
  serve(answers([run()], [experiment({ running: 2 })]))

  visit('/experiments/1')

  expect(await screen.findByRole('img', { name: '2 running' })).toBeTruthy()
})
