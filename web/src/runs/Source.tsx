import type { Run } from '../api/types'
import { sourceOf } from './tags'

type SourceProps = {
  run: Run
}

/** The entry point and the commit of a run's code. */
export function Source({ run }: SourceProps) {
  const { file, commit } = sourceOf(run)

  return (
    <span
      title={[run.tags['mlflow.source.name'], run.tags['mlflow.source.git.commit']]
        .filter(Boolean)
        .join('\n')}
    >
      {file}
      {commit && file && ' · '}
      {commit && <code>{commit}</code>}
    </span>
  )
}
