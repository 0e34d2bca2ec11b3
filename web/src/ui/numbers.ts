import type { Value } from '../api/types'

const WORDS = { NaN: 'NaN', Infinity: '∞', '-Infinity': '−∞' } as const

/** A value in at most five digits; its whole length belongs in a title. */
export function short(value: Value): string {
  if (typeof value === 'string') return WORDS[value]
  if (value === 0) return '0'

  const size = Math.abs(value)
  if (Number.isInteger(value) && size < 1e6) return minus(String(value))
  if (size < 1e-3 || size >= 1e6) return minus(exponent(value))

  return minus(size < 1 ? value.toFixed(4) : value.toPrecision(5))
}

/** A round number beside an axis, short enough to stand there. */
export function tick(value: number): string {
  const size = Math.abs(value)
  if (size !== 0 && (size < 1e-4 || size >= 1e6)) return minus(exponent(value))

  return minus(String(Number(value.toPrecision(6))))
}

/** Whether a value is a number that can be drawn. */
export function isNumber(value: Value): boolean {
  return typeof value === 'number'
}

/** Whether text reads as a number, so that it stands best at the right. */
export function isNumeric(text: string): boolean {
  return text.trim() !== '' && !Number.isNaN(Number(text))
}

function exponent(value: number): string {
  return value
    .toExponential(3)
    .replace(/\.?0+e/, 'e')
    .replace('e+', 'e')
}

/** A true minus is as wide as a digit; a hyphen is not. */
function minus(text: string): string {
  return text.replace(/-/g, '−')
}
