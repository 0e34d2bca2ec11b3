import { Link, Redirect, Route, Switch } from 'wouter'
import { ExperimentPage } from '../experiments/ExperimentPage'
import { useExperiments } from '../experiments/queries'
import { useMessages } from '../i18n/language'
import { Failure } from '../ui/Failure'
import { Notice } from '../ui/Notice'
import { Frame } from './Frame'

/** The pages, by address. */
export function App() {
  const words = useMessages()

  return (
    <Switch>
      <Route path="/">
        <Home />
      </Route>
      <Route path="/experiments/:id">
        {({ id }) => <ExperimentPage key={id} id={id} />}
      </Route>
      <Route>
        <Frame title="Runstone">
          <Notice title={words.notFound}>
            <Link href="/">{words.toExperiments}</Link>
          </Notice>
        </Frame>
      </Route>
    </Switch>
  )
}

/** The way in: the experiment where something happened last. */
function Home() {
  const words = useMessages()
  const { data, error, isPending, refetch } = useExperiments()

  if (isPending) return <Frame title="Runstone" />
  if (error && !data)
    return (
      <Frame title="Runstone">
        <Failure title={words.experimentsFailed} error={error} retry={refetch} />
      </Frame>
    )

  const [latest] = data.toSorted(
    (a, b) => (b.last_start_ms ?? 0) - (a.last_start_ms ?? 0),
  )
  if (latest) return <Redirect to={`/experiments/${latest.id}`} replace />
  return (
    <Frame title="Runstone">
      <Notice title={words.noExperiments} />
    </Frame>
  )
}
