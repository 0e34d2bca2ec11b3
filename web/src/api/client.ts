/** The server answered with an error; `message` is the server's words. */
export class ApiError extends Error {
  override readonly name = 'ApiError'
  readonly status: number
  readonly code: string

  constructor(status: number, code: string, message: string) {
    super(message)
    this.status = status
    this.code = code
  }
}

/** The server did not answer. */
export class Unreachable extends Error {
  override readonly name = 'Unreachable'
}

/** Read `/api/v1` + path. A query value that is undefined is left out. */
export async function read<T>(
  path: string,
  query: Record<string, string | number | undefined>,
  signal: AbortSignal,
): Promise<T> {
  const response = await ask(`/api/v1${path}${asQuery(query)}`, signal)
  if (!response.ok) throw await asError(response)

  return (await response.json()) as T
}

async function ask(url: string, signal: AbortSignal): Promise<Response> {
  try {
    return await fetch(url, { signal, headers: { accept: 'application/json' } })
  } catch (error) {
    if (signal.aborted) throw error
    throw new Unreachable('', { cause: error })
  }
}

function asQuery(query: Record<string, string | number | undefined>): string {
  const given = Object.entries(query).flatMap(([key, value]) =>
    value === undefined ? [] : [[key, String(value)]],
  )
  return given.length === 0 ? '' : `?${new URLSearchParams(given)}`
}

/** A proxy between us may answer in HTML; then the status must do. */
async function asError(response: Response): Promise<ApiError> {
  const status = `${response.status} ${response.statusText}`.trim()
  const body: unknown = await response.json().catch(() => null)
  const code = textAt(body, 'error_code') ?? 'UNKNOWN'

  return new ApiError(response.status, code, textAt(body, 'message') ?? status)
}

function textAt(body: unknown, key: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined
  const found: unknown = Reflect.get(body, key)

  return typeof found === 'string' && found !== '' ? found : undefined
}
