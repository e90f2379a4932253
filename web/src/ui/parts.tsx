// The small things that every page is made of.
import { Fragment, type KeyboardEvent as Key, type ReactNode, useEffect, useRef, useState } from "react"
import type { ApiError } from "../api/client"
import type { RunState } from "../api/types"
import { Link } from "../app/router"

const shapes = {
    search: "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14M20 20l-4-4", moon: "M20 14A8 8 0 1 1 10 4a6.500 6.500 0 0 0 10 10z",
    sun: "M12 8a4 4 0 1 0 0 8 4 4 0 0 0 0-8M12 2v2M12 20v2M4 12H2M22 12h-2M5 5l1.500 1.500M17.500 17.500L19 19M5 19l1.500-1.500M17.500 6.500L19 5",
    chevron: "M9 5l7 7-7 7", more: "M5 12h.01M12 12h.01M19 12h.01", expand: "M14 4h6v6M10 20H4v-6M20 4l-7 7M4 20l7-7",
    star: "M12 3l2.700 5.700 6.300.8-4.600 4.300 1.200 6.200L12 17l-5.600 3 1.200-6.200L3 9.500l6.300-.8z", close: "M6 6l12 12M18 6L6 18",
    group: "M4 7h16M4 12h16M4 17h16", file: "M14 3H6v18h12V7zM14 3v4h4", link: "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
    reset: "M4 5v5h5M4.500 10A8 8 0 1 1 4 14", columns: "M4 4h16v16H4zM10 4v16M15 4v16", check: "M5 12l5 5 9-10", table: "M4 5h16v14H4zM4 10h16M10 10v9", add: "M12 5v14M5 12h14", bookmark: "M7 4h10v16l-5-4-5 4z",
} as const

export type IconName = keyof typeof shapes

export function Icon({ name }: { name: IconName }): JSX.Element {
    return <svg className="i" viewBox="0 0 24 24" aria-hidden="true"><path d={shapes[name]} strokeWidth={name === "more" ? 3 : undefined} /></svg>
}

export function StateWord({ state, status }: { state: RunState; status?: string }): JSX.Element {
    return <span className={`state ${state}`} title={status && status.toLowerCase() !== state ? `Logged as ${status}` : undefined}>{state}</span>
}

export function Failure({ error, again }: { error: ApiError; again?: () => void }): JSX.Element {
    return (
        <div className="message bad" role="alert">
            <div><b>{error.message}</b> {withCode(error.remedy)}</div>
            {/* What is not there is not there the next time either. */}
            {error.status === 404 ? <Link className="button" to="/">All projects</Link> : again && <button className="button" onClick={again}>Try again</button>}
        </div>
    )
}

/** Sentences of the server have commands between backticks. */
function withCode(text: string | undefined): ReactNode {
    return text?.split("`").map((piece, index) => (index % 2 ? <code key={index}>{piece}</code> : <Fragment key={index}>{piece}</Fragment>))
}

export function Empty({ title, children }: { title: string; children?: ReactNode }): JSX.Element {
    return <div className="empty"><b>{title}</b>{children}</div>
}

export function Skeleton({ rows = 6 }: { rows?: number }): JSX.Element {
    return (
        <div role="progressbar" aria-label="Loading">
            {Array.from({ length: rows }, (_, index) => (
                <div key={index} className="skeleton" style={{ height: 18, margin: "12px 14px", width: `${90 - (index % 4) * 12}%` }} />
            ))}
        </div>
    )
}

/** A button that opens a small menu; Escape and a click elsewhere close it. */
export function Menu({ label, icon, children, className = "button quiet icon" }: { label: string; icon: IconName; children: ReactNode; className?: string }): JSX.Element {
    const [isOpen, setOpen] = useState(false)
    const box = useRef<HTMLSpanElement>(null)
    useEffect(() => {
        if (!isOpen) return undefined
        const away = (event: Event): void => {
            if (event instanceof globalThis.KeyboardEvent ? event.key === "Escape" : !box.current?.contains(event.target as Node)) setOpen(false)
        }
        document.addEventListener("pointerdown", away)
        document.addEventListener("keydown", away)
        return () => {
            document.removeEventListener("pointerdown", away)
            document.removeEventListener("keydown", away)
        }
    }, [isOpen])
    const onKey = (event: Key): void => {
        const entries = Array.from(box.current?.querySelectorAll<HTMLElement>(".menu button:not(:disabled), .menu a") ?? []).filter(entry => entry.offsetParent !== null)
        if (event.key === "Escape" && isOpen) box.current?.querySelector<HTMLElement>("[aria-haspopup]")?.focus()
        if (!isOpen || entries.length === 0 || (event.target as HTMLElement).matches("input, textarea, select")) return
        const at = entries.indexOf(document.activeElement as HTMLElement)
        const next = event.key === "ArrowDown" ? at + 1 : event.key === "ArrowUp" ? (at < 0 ? -1 : at - 1) : event.key === "Home" ? 0 : event.key === "End" ? -1 : null
        if (next === null) return
        event.preventDefault()
        entries[(next + entries.length) % entries.length]?.focus()
    }
    return (
        <span className="with-menu" ref={box} onKeyDown={onKey}>
            <button className={className} aria-label={label} title={label} aria-haspopup="true" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
                <Icon name={icon} />
            </button>
            {isOpen && <div className="menu" onClick={() => setOpen(false)}>{children}</div>}
        </span>
    )
}

let showToast: (toast: { text: string; undo?: () => void } | null) => void = () => undefined
export function toast(text: string, undo?: () => void): void {
    showToast(undo ? { text, undo } : { text })
}

export function Toasts(): JSX.Element | null {
    const [shown, setShown] = useState<{ text: string; undo?: () => void } | null>(null)
    showToast = setShown
    useEffect(() => {
        if (!shown) return undefined
        const timer = window.setTimeout(() => setShown(null), shown.undo ? 8000 : 3000)
        return () => window.clearTimeout(timer)
    }, [shown])
    if (!shown) return null
    return (
        <div className="toast" role="status">
            {shown.text}
            {shown.undo && <button onClick={() => { shown.undo?.(); setShown(null) }}>Undo</button>}
        </div>
    )
}

export function copy(text: string, what: string): void {
    navigator.clipboard.writeText(text).then(() => toast(`${what} copied`), () => toast("The browser does not allow copying here"))
}

export function download(name: string, type: string, content: string | Blob): void {
    const address = URL.createObjectURL(typeof content === "string" ? new Blob([content], { type }) : content)
    const link = document.createElement("a")
    link.href = address
    link.download = name
    link.click()
    window.setTimeout(() => URL.revokeObjectURL(address), 1000)
}
