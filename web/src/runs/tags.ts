import type { Run } from '../api/types'

const SYSTEM = 'mlflow.'
const SHORT_COMMIT = 7

type Source = {
  /** The entry point's file name */
  file: string | undefined
  /** The commit, as short as Git shows it */
  commit: string | undefined
}

/** Where a run's code came from. */
export function sourceOf({ tags }: Run): Source {
  return {
    file: tags['mlflow.source.name']?.split(/[\\/]/).pop(),
    commit: tags['mlflow.source.git.commit']?.slice(0, SHORT_COMMIT),
  }
}

/** The tags that people gave. */
export function ownTags({ tags }: Run): [string, string][] {
  return Object.entries(tags).filter(([key]) => !key.startsWith(SYSTEM))
}

/** The tags that the client set by itself. */
export function systemTags({ tags }: Run): [string, string][] {
  return Object.entries(tags).filter(([key]) => key.startsWith(SYSTEM))
}
