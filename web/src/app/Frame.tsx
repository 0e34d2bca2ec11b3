import { type ReactNode, useRef } from 'react'
import { ExperimentList } from '../experiments/ExperimentList'
import { useMessages } from '../i18n/language'
import { Icon } from '../ui/Icon'
import { useWide } from '../ui/width'
import { Brand } from './Brand'
import styles from './Frame.module.css'
import { LanguageSwitch } from './LanguageSwitch'
import { ThemeSwitch } from './ThemeSwitch'

type FrameProps = {
  title: string
  /** Small words beside the title */
  facts?: ReactNode
  children?: ReactNode
}

/** What is around every page: experiments at the side, the title above. */
export function Frame({ title, facts, children }: FrameProps) {
  const words = useMessages()
  const wide = useWide()
  const drawer = useRef<HTMLDialogElement>(null)
  const close = () => drawer.current?.close()

  return (
    <div className={styles.frame}>
      <title>{title === 'Runstone' ? title : `${title} · Runstone`}</title>
      <a className={styles.skip} href="#main">
        {words.skipToRuns}
      </a>
      {wide && (
        <aside className={styles.side}>
          <Brand />
          <ExperimentList />
        </aside>
      )}
      <header className={styles.top}>
        {!wide && (
          <button
            type="button"
            className={styles.menu}
            aria-label={words.experiments}
            aria-haspopup="dialog"
            onClick={() => drawer.current?.showModal()}
          >
            <Icon name="menu" />
          </button>
        )}
        <h1 className={styles.title} title={title}>
          {title}
        </h1>
        <div className={styles.facts}>{facts}</div>
        <LanguageSwitch />
        <ThemeSwitch />
      </header>
      <main id="main" className={styles.main} tabIndex={-1}>
        {children}
      </main>
      {!wide && (
        <dialog ref={drawer} className={styles.drawer} aria-label={words.experiments}>
          <div className={styles.drawerTop}>
            <Brand />
            <button
              type="button"
              className={styles.menu}
              aria-label={words.close}
              onClick={close}
            >
              <Icon name="close" />
            </button>
          </div>
          <ExperimentList chosen={close} />
        </dialog>
      )}
    </div>
  )
}
