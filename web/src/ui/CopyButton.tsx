import { useState } from 'react'
import { useMessages } from '../i18n/language'
import styles from './CopyButton.module.css'
import { Icon } from './Icon'

const SHOWN_MS = 1_600

type CopyButtonProps = {
  text: string
  /** What is copied, for those who cannot see it beside the button */
  label: string
}

/** Puts text on the clipboard and says so. */
export function CopyButton({ text, label }: CopyButtonProps) {
  const words = useMessages()
  const [copied, setCopied] = useState(false)

  const act = async () => {
    await copy(text)
    setCopied(true)
    setTimeout(() => setCopied(false), SHOWN_MS)
  }

  return (
    <button
      type="button"
      className={styles.copy}
      aria-label={`${words.copy}: ${label}`}
      onClick={act}
    >
      <Icon name={copied ? 'check' : 'copy'} />
      <span role="status">{copied ? words.copied : words.copy}</span>
    </button>
  )
}

/** A page that came over plain HTTP has no clipboard of its own, but may select. */
async function copy(text: string): Promise<void> {
  if (navigator.clipboard) return navigator.clipboard.writeText(text)

  const area = document.createElement('textarea')
  area.value = text
  document.body.append(area)
  area.select()
  document.execCommand('copy')
  area.remove()
}
