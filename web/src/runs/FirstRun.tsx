import { useMessages } from '../i18n/language'
import { CopyButton } from '../ui/CopyButton'
import { Notice } from '../ui/Notice'
import styles from './FirstRun.module.css'

type FirstRunProps = {
  experimentName: string | undefined
}

/** How to record the first run, with the address of this very server. */
export function FirstRun({ experimentName = 'Default' }: FirstRunProps) {
  const words = useMessages()
  const code = firstRun(location.origin, experimentName)

  return (
    <Notice title={words.noRuns}>
      <p>{words.noRunsHint}</p>
      <div className={styles.code}>
        <pre>
          <code>{code}</code>
        </pre>
        <CopyButton text={code} label="Python" />
      </div>
      <p>{words.noRunsPlace(location.origin)}</p>
    </Notice>
  )
}

/** Python takes JSON's way to write a string. */
function firstRun(server: string, experiment: string): string {
  return [
    'import os, mlflow',
    `os.environ["MLFLOW_TRACKING_URI"] = ${JSON.stringify(server)}`,
    `mlflow.set_experiment(${JSON.stringify(experiment)}); mlflow.log_metric("loss", 0.5)`,
  ].join('\n')
}
