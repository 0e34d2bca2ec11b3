import type { ReactNode } from 'react'
import styles from './Notice.module.css'

type NoticeProps = {
  title: string
  children?: ReactNode
}

/** A few words in place of a page's content, with what to do next. */
export function Notice({ title, children }: NoticeProps) {
  return (
    <section className={styles.notice}>
      <h2>{title}</h2>
      {children}
    </section>
  )
}
