import { expect, test } from 'vitest'
import { isNumeric, short, tick } from './numbers'

test.each([
  [0, '0'],
  [123_456, '123456'],
  [0.123456, '0.1235'],
  [3.14449, '3.1445'],
  [-2.5, '−2.5000'],
  [0.0001, '1e−4'],
  [1.5e9, '1.5e9'],
  [1e10, '1e10'],
  ['NaN', 'NaN'],
  ['-Infinity', '−∞'],
] as const)('%s is written %s', (value, text) => {
  expect(short(value)).toBe(text)
})

test.each([
  [0, '0'],
  [0.30000000000000004, '0.3'],
  [-2000, '−2000'],
  [2e9, '2e9'],
  [0.00005, '5e−5'],
])('%s beside an axis is %s', (value, text) => {
  expect(tick(value)).toBe(text)
})

test('text is numeric only if all of it is a number', () => {
  expect(isNumeric('3e-4')).toBe(true)
  expect(isNumeric('adamw')).toBe(false)
  expect(isNumeric('')).toBe(false)
})
