import styles from './Skeleton.module.css'

type SkeletonProps = {
  /** What is on its way */
  label: string
  rows: number
}

/** Rows as high as those that will come, so that nothing jumps. */
export function Skeleton({ label, rows }: SkeletonProps) {
  return (
    <div role="status" aria-label={label} className={styles.skeleton}>
      {Array.from({ length: rows }, (_, row) => (
        <span key={row} />
      ))}
    </div>
  )
}
