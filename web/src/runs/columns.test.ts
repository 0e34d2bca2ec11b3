import { expect, test } from 'vitest'
import type { Metric } from '../api/types'
import { run } from '../testing'
import { columnsOf } from './columns'

const point: Metric = { last: 1, step: 0, time_ms: 0, min: 1, max: 1, count: 1 }

function measured(...keys: string[]) {
  return run({ metrics: Object.fromEntries(keys.map((key) => [key, point])) })
}

test('the six most common metrics are columns, in the order of the alphabet', () => {
  const runs = [
    measured('g', 'f', 'e', 'd', 'c', 'b', 'rare'),
    measured('g', 'f', 'e', 'd', 'c', 'b'),
  ]

  expect(columnsOf(runs).metrics).toEqual(['b', 'c', 'd', 'e', 'f', 'g'])
})

test('what the machine did comes last, however common', () => {
  const system = ['system/a', 'system/b', 'system/c']
  const runs = [measured('w', 'x', 'y', 'z', ...system), measured(...system)]

  expect(columnsOf(runs).metrics).toEqual(['system/a', 'system/b', 'w', 'x', 'y', 'z'])
})

test('params are chosen like metrics', () => {
  const runs = [run({ params: { lr: '1' } }), run({ params: { lr: '2', seed: '3' } })]

  expect(columnsOf(runs)).toEqual({ metrics: [], params: ['lr', 'seed'] })
})
