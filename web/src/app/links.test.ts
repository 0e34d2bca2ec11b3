import { expect, test } from 'vitest'
import { fromMlflow } from './links'

test.each([
  ['#/experiments/1', '/experiments/1'],
  ['#/experiments/1/runs/ab12', '/experiments/1?run=ab12'],
  ['#/experiments/1/runs/ab12/model-metrics', '/experiments/1?run=ab12'],
  ['#/experiments/1?searchFilter=x', '/experiments/1'],
  ['#/models', undefined],
  ['#main', undefined],
  ['', undefined],
])('the address %s that MLflow prints leads to %s', (hash, expected) => {
  expect(fromMlflow(hash)).toBe(expected)
})
