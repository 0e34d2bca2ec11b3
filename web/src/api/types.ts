/**
 * What the server says under `/api/v1`.
 *
 * Times are milliseconds since the Unix epoch, UTC.
 */

/** A number; what JSON has no number for comes as its word. */
export type Value = number | 'NaN' | 'Infinity' | '-Infinity'

export type RunStatus = 'RUNNING' | 'SCHEDULED' | 'FINISHED' | 'FAILED' | 'KILLED'

type Lifecycle = 'active' | 'deleted'

export type Experiment = {
  id: string
  name: string
  lifecycle: Lifecycle
  created_ms: number
  updated_ms: number
  /** How many runs it holds, and how many of them are running */
  runs: number
  running: number
  last_start_ms: number | null
}

export type Experiments = { experiments: Experiment[] }

/** A metric in one line: its latest value and its range */
export type Metric = {
  last: Value
  step: number
  time_ms: number
  min: Value
  max: Value
  count: number
}

export type Run = {
  id: string
  experiment_id: string
  name: string
  user: string
  status: RunStatus
  lifecycle: Lifecycle
  start_ms: number | null
  end_ms: number | null
  params: Record<string, string>
  tags: Record<string, string>
  metrics: Record<string, Metric>
}

export type RunPage = { runs: Run[]; next_page_token: string | null }

/** Columns of one length, ascending by step; `null` is NaN */
export type Series = {
  key: string
  /** Whether every point is here; otherwise each pixel kept its extremes */
  exact: boolean
  count: number
  step: number[]
  time_ms: number[] | null
  value: (number | null)[]
}
