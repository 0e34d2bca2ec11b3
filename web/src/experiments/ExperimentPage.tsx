import { Frame } from '../app/Frame'
import { useView } from '../app/view'
import { useMessages } from '../i18n/language'
import { RunDetails } from '../runs/RunDetails'
import { Runs } from '../runs/Runs'
import { Live } from './Live'
import { useExperiments } from './queries'

type ExperimentPageProps = {
  id: string
}

/** One experiment: its runs, and beside them the run that is open. */
export function ExperimentPage({ id }: ExperimentPageProps) {
  const words = useMessages()
  const { run } = useView()
  const { data, isError } = useExperiments()
  const experiment = data?.find((each) => each.id === id)

  const facts = (
    <>
      {experiment && <span>{words.runCount(experiment.runs)}</span>}
      <Live connected={!isError} />
    </>
  )
  return (
    <Frame title={experiment?.name ?? words.runs} facts={facts}>
      <Runs experimentId={id} experimentName={experiment?.name} />
      {run !== undefined && <RunDetails key={run} id={run} />}
    </Frame>
  )
}
