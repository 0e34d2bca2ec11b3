const LINK = /^#\/experiments\/([^/?]+)(?:\/runs\/([^/?]+))?/

/**
 * Where an address that MLflow's client prints leads to here, if it is one:
 * `/#/experiments/1/runs/…` is `/experiments/1?run=…`.
 */
export function fromMlflow(hash: string): string | undefined {
  const [, experiment, run] = LINK.exec(hash) ?? []
  if (experiment === undefined) return undefined

  return `/experiments/${experiment}${run === undefined ? '' : `?run=${run}`}`
}
