import { expect, test, vi } from 'vitest'
import { read, Unreachable } from './client'

const { signal } = new AbortController()

test("an error has the server's words", async () => {
  const body = { error_code: 'INVALID_PARAMETER_VALUE', message: 'limit is 0' }
  vi.stubGlobal(
    'fetch',
    async () => new Response(JSON.stringify(body), { status: 400 }),
  )

  await expect(read('/experiments', {}, signal)).rejects.toMatchObject({
    status: 400,
    code: 'INVALID_PARAMETER_VALUE',
    message: 'limit is 0',
  })
})

test("a proxy's HTML page becomes its status", async () => {
  const answer = { status: 502, statusText: 'Bad Gateway' }
  vi.stubGlobal('fetch', async () => new Response('<html>', answer))

  await expect(read('/experiments', {}, signal)).rejects.toThrow('502 Bad Gateway')
})

test('a server that does not answer is unreachable', async () => {
  vi.stubGlobal('fetch', async () => Promise.reject(new TypeError('fetch failed')))

  await expect(read('/experiments', {}, signal)).rejects.toThrow(Unreachable)
})

test('a query is written safely, without what is not given', async () => {
  const fetched = vi.fn(async (_url: string) => new Response('{}'))
  vi.stubGlobal('fetch', fetched)

  await read(
    '/runs/x/series',
    { key: 'a&b=ㄱ', pixels: 8, page_token: undefined },
    signal,
  )

  const [url] = fetched.mock.calls[0] ?? []
  expect(url).toBe(
    `/api/v1/runs/x/series?key=a%26b%3D${encodeURIComponent('ㄱ')}&pixels=8`,
  )
})
