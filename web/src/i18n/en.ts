const many = new Intl.PluralRules('en')

function count(n: number, one: string, other: string): string {
  return `${n.toLocaleString('en')} ${many.select(n) === 'one' ? one : other}`
}

/** Every word of the pages, in English; the other languages have the same keys. */
export const en = {
  units: { millisecond: 'ms', second: 's', minute: 'm', hour: 'h', day: 'd' },

  skipToRuns: 'Skip to runs',
  language: 'Language',
  toLight: 'Switch to light',
  toDark: 'Switch to dark',
  close: 'Close',
  copy: 'Copy',
  copied: 'Copied',
  retry: 'Try again',
  unreachable:
    'The server does not answer. It may be restarting, or the network is away.',
  trying: 'Not connected, trying again',
  live: 'Live',
  notFound: 'There is no such page.',
  toExperiments: 'Show the experiments',

  experiments: 'Experiments',
  findExperiments: 'Find an experiment',
  loadingExperiments: 'Loading experiments',
  experimentsFailed: 'The experiments could not be read',
  noExperiments: 'No experiments yet',
  noMatch: (text: string) => `No name has “${text}” in it`,
  runCount: (n: number) => count(n, 'run', 'runs'),
  runningCount: (n: number) => `${n.toLocaleString('en')} running`,

  runs: 'Runs',
  loadingRuns: 'Loading runs',
  runsFailed: 'The runs could not be read',
  loadMore: 'Load more',
  loadingMore: 'Loading…',
  status: {
    RUNNING: 'Running',
    SCHEDULED: 'Scheduled',
    FINISHED: 'Finished',
    FAILED: 'Failed',
    KILLED: 'Killed',
  },
  name: 'Name',
  statusName: 'Status',
  start: 'Started',
  end: 'Ended',
  duration: 'Duration',
  user: 'User',
  source: 'Source',
  runId: 'Run ID',
  params: 'Parameters',
  metrics: 'Metrics',
  tags: 'Tags',
  systemTags: 'System tags',
  about: 'About',
  moreTags: (n: number) => `${n} more`,
  notStarted: 'Not started',

  noRuns: 'Nothing has been recorded here yet',
  noRunsHint: 'Run this, and the run appears here by itself:',
  noRunsPlace: (url: string) =>
    `This page shows what is stored at ${url}. If your run went elsewhere, mlflow.get_tracking_uri() says where.`,

  run: 'Run',
  loadingRun: 'Loading the run',
  runFailed: 'The run could not be read',
  noMetrics: 'No metrics',
  noParams: 'No parameters',
  noTags: 'No tags',
  last: 'Last',
  min: 'Min',
  max: 'Max',
  steps: 'Step',
  points: 'Points',
  showChart: (metric: string) => `Draw ${metric}`,
  loadingMetric: (metric: string) => `Loading ${metric}`,
  noPoints: (metric: string) => `No points of ${metric} yet`,
  nothingFinite: (metric: string) =>
    `There is no curve: every value of ${metric} is NaN or infinite`,
  overSteps: (metric: string) => `${metric} over steps`,
  thinned: (n: number) =>
    `${n.toLocaleString('en')} points, drawn with the first, last, lowest and highest of each pixel`,
}
