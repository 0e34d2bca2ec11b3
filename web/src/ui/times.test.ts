import { expect, test } from 'vitest'
import { en } from '../i18n/en'
import { ko } from '../i18n/ko'
import { ago, span } from './times'

test.each([
  [450, '450ms'],
  [4_200, '4.2s'],
  [6_000, '6s'],
  [42_999, '42s'],
  [65_000, '1m 5s'],
  [3_600_000, '1h'],
  [93_600_000, '1d 2h'],
  [-5, '0ms'],
])('%i ms is %s', (length, text) => {
  expect(span(length, en)).toBe(text)
})

test('spans and distances are said in Korean too', () => {
  expect(span(65_000, ko)).toBe('1분 5초')
  expect(ago(0, 180_000, 'ko')).toBe('3분 전')
})

test('less than a minute ago is now', () => {
  expect(ago(1_000, 31_000, 'en')).toBe('now')
})
