// The filter in the search language: completes names, and shows the server's own sentence where a filter is wrong.
import { useEffect, useId, useRef, useState } from "react"
import type { ApiError } from "../api/client"
import type { LoggedNames } from "../api/types"
import { Icon } from "../ui/parts"

interface Props {
    filter: string
    error: ApiError | null
    advice: string[]
    names: LoggedNames | undefined
    onFilter: (filter: string) => void
}

export function FilterField({ filter, error, advice, names, onFilter }: Props): JSX.Element {
    const [text, setText] = useState(filter)
    const [isFocused, setFocused] = useState(false)
    const [at, setAt] = useState(0)
    const input = useRef<HTMLInputElement>(null)
    const id = useId()
    useEffect(() => setText(filter), [filter])
    useEffect(() => {
        if (text === filter) return undefined
        // Not at each letter: half a filter is mostly a wrong one.
        const timer = window.setTimeout(() => onFilter(text), 450)
        return () => window.clearTimeout(timer)
        // eslint-disable-next-line
    }, [text])
    const word = /[\w./`-]+$/.exec(text.slice(0, input.current?.selectionStart ?? text.length))?.[0] ?? ""
    const offers = isFocused && word.length > 0 ? suggestions(word, names) : []
    const take = (offer: string): void => {
        const end = input.current?.selectionStart ?? text.length
        const next = text.slice(0, end - word.length) + offer + " " + text.slice(end)
        setText(next)
        setAt(0)
        input.current?.focus()
    }
    return (
        <div style={{ position: "relative" }}>
            <label className={error?.status === 400 || error?.status === 422 ? "field bad" : "field"}>
                <Icon name="search" /><span className="hidden">Filter runs</span>
                <input
                    ref={input} type="search" role="searchbox" aria-label="Filter runs" placeholder="metrics.loss < 0.3 AND params.lr = 0.1" value={text} spellCheck={false} autoComplete="off"
                    aria-describedby={id} aria-invalid={error !== null} data-keys="/"
                    onChange={event => { setText(event.target.value); setAt(0) }} onFocus={() => setFocused(true)} onBlur={() => window.setTimeout(() => setFocused(false), 150)}
                    onKeyDown={event => {
                        if (offers.length && (event.key === "ArrowDown" || event.key === "ArrowUp")) {
                            setAt((at + (event.key === "ArrowDown" ? 1 : offers.length - 1)) % offers.length)
                            event.preventDefault()
                        } else if (offers.length && event.key === "Tab") {
                            take(offers[at]!)
                            event.preventDefault()
                        } else if (event.key === "Enter") onFilter(text)
                        else if (event.key === "Escape") setFocused(false)
                    }} />
            </label>
            {offers.length > 0 && (
                <div className="menu" role="listbox" aria-label="Names" style={{ left: 0, right: 0 }}>
                    {offers.map((offer, index) => (
                        <button key={offer} role="option" aria-selected={index === at} style={index === at ? { background: "var(--sel)" } : undefined} onMouseDown={event => { event.preventDefault(); take(offer) }}>
                            <span className="cut mono">{offer}</span>{index === at && <kbd>Tab</kbd>}
                        </button>
                    ))}
                </div>
            )}
            <div id={id}>
                {error && <p className="filter-error" role="alert">{error.message} <span className="muted">{error.remedy}</span></p>}
                {!error && advice.map(one => <p key={one} className="muted" style={{ fontSize: 12, marginTop: 4 }}>{one}</p>)}
            </div>
        </div>
    )
}

function suggestions(word: string, names: LoggedNames | undefined): string[] {
    const quoted = (name: string): string => (/^[A-Za-z_][\w/-]*$/.test(name) ? name : `\`${name}\``)
    const every = [
        ...(names?.metrics ?? []).map(name => `metrics.${quoted(name)}`), ...(names?.params ?? []).map(name => `params.${quoted(name)}`),
        ...(names?.tags ?? []).map(name => `tags.${quoted(name)}`), "state", "start_time", "duration", "name", "user", "git_commit", "git_branch", "AND", "OR", "NOT", "LIKE", "IN", "IS NAN",
    ]
    const wanted = word.toLowerCase().replace(/`/g, "")
    const plain = (offer: string): string => offer.toLowerCase().replace(/`/g, "")
    const starts = every.filter(offer => plain(offer).startsWith(wanted) && plain(offer) !== wanted)
    const inside = wanted.length > 1 ? every.filter(offer => !plain(offer).startsWith(wanted) && plain(offer).includes(wanted)) : []
    return [...starts, ...inside].slice(0, 8)
}
