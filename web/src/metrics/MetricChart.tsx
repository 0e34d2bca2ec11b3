import { useEffect, useRef } from 'react'
import uPlot from 'uplot'
import type { Run, Series } from '../api/types'
import { useMessages } from '../i18n/language'
import { Failure } from '../ui/Failure'
import { tick } from '../ui/numbers'
import { useTheme } from '../ui/theme'
import styles from './MetricChart.module.css'
import { useSeries } from './queries'
import 'uplot/dist/uPlot.min.css'

// What the panel holds on a wide screen; the server keeps the extremes of each pixel.
const PIXELS = 520
const HEIGHT = 200

type MetricChartProps = {
  run: Run
  metric: string
}

/** One metric of a run over steps. */
export function MetricChart({ run, metric }: MetricChartProps) {
  const words = useMessages()
  const { data, error, isPending, refetch } = useSeries(
    run.id,
    metric,
    PIXELS,
    run.status === 'RUNNING',
  )

  if (isPending) return <p role="status">{words.loadingMetric(metric)}</p>
  if (error && !data) return <Failure title={metric} error={error} retry={refetch} />
  if (data.step.length === 0) return <p role="status">{words.noPoints(metric)}</p>
  if (data.value.every((value) => value === null))
    return <p role="status">{words.nothingFinite(metric)}</p>
  return (
    <>
      <Curve key={metric} series={data} />
      {!data.exact && <p className={styles.note}>{words.thinned(data.count)}</p>}
    </>
  )
}

type CurveProps = {
  series: Series
}

/** The columns as the server sent them; a gap is NaN. */
function Curve({ series }: CurveProps) {
  const words = useMessages()
  const theme = useTheme()
  const figure = useRef<HTMLElement>(null)
  const plot = useRef<uPlot>(null)
  const columns: uPlot.AlignedData = [series.step, series.value]
  const latest = useRef(columns)
  latest.current = columns

  // biome-ignore lint/correctness/useExhaustiveDependencies: a theme has other colours
  useEffect(() => {
    const place = figure.current
    if (!place) return

    const drawn = new uPlot(optionsFor(place, series.key), latest.current, place)
    const resized = new ResizeObserver(() =>
      drawn.setSize({ width: place.clientWidth, height: HEIGHT }),
    )
    resized.observe(place)
    plot.current = drawn
    return () => {
      resized.disconnect()
      drawn.destroy()
      plot.current = null
    }
  }, [series.key, theme])

  useEffect(() => plot.current?.setData([series.step, series.value]), [series])

  return (
    <figure
      ref={figure}
      className={styles.chart}
      aria-label={words.overSteps(series.key)}
    />
  )
}

/** The style sheet says the colours, as those of a drawing: stroke, line and text. */
function optionsFor(place: HTMLElement, key: string): uPlot.Options {
  const { color, stroke, borderTopColor } = getComputedStyle(place)
  const axis: uPlot.Axis = {
    stroke: color,
    grid: { stroke: borderTopColor, width: 1 },
    ticks: { show: false },
    font: '11px system-ui, sans-serif',
    values: (_, splits) => splits.map(tick),
  }

  return {
    width: place.clientWidth,
    height: HEIGHT,
    scales: { x: { time: false } },
    axes: [
      { ...axis, size: 28 },
      { ...axis, size: 56 },
    ],
    series: [
      { label: 'step' },
      { label: key, stroke, width: 1.5, points: { size: 5 } },
    ],
    cursor: { points: { size: 7 } },
  }
}
