// The command palette (Ctrl K) and the sheet of keys (?).
import { useEffect, useMemo, useRef, useState } from "react"
import { all, post } from "../api/client"
import { useResource } from "../api/resource"
import type { Experiment, RunTableAnswer } from "../api/types"
import { navigate } from "./router"
import { setDensity, setTheme } from "./theme"

let open: (what: "palette" | "keys" | null) => void = () => undefined
export const openPalette = (): void => open("palette")
export const openKeys = (): void => open("keys")

export function Palette(): JSX.Element | null {
    const [shown, setShown] = useState<"palette" | "keys" | null>(null)
    open = setShown
    useEffect(() => {
        const onKey = (event: KeyboardEvent): void => {
            // A box that is ticked takes no letters.
            const isTyping = (event.target as HTMLElement).closest?.("input:not([type=checkbox], [type=range]), textarea, select") !== null
            if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === "k") {
                event.preventDefault()
                setShown(old => (old === "palette" ? null : "palette"))
            } else if (event.key === "Escape") setShown(null)
            else if (isTyping || event.ctrlKey || event.metaKey || event.altKey) return
            else if (event.key === "?") setShown("keys")
            else if (event.key === "/") {
                event.preventDefault()
                document.querySelector<HTMLInputElement>("[data-keys='/']")?.focus()
            }
        }
        document.addEventListener("keydown", onKey)
        return () => document.removeEventListener("keydown", onKey)
    }, [])
    // Whoever closes it is where they were before.
    const before = useRef<HTMLElement | null>(null)
    const isOpen = shown !== null
    useEffect(() => {
        if (!isOpen) return undefined
        return () => before.current?.focus()
    }, [isOpen])
    const wasOpen = useRef(false)
    // Now, as the field takes the focus once it is there.
    if (isOpen && !wasOpen.current) before.current = document.activeElement instanceof HTMLElement ? document.activeElement : null
    wasOpen.current = isOpen
    if (!shown) return null
    return (
        <>
            <div className="scrim" onClick={() => setShown(null)} />
            {shown === "palette" ? <Commands onClose={() => setShown(null)} /> : <Keys />}
        </>
    )
}

function Commands({ onClose }: { onClose: () => void }): JSX.Element {
    const [text, setText] = useState("")
    const [at, setAt] = useState(0)
    const experiments = useResource("experiments", () => all<Experiment>("experiments?limit=1000", "experiments"))
    const runs = useResource("palette/runs", () => post<RunTableAnswer>("runs/table", { limit: 200 }))
    const entries = useMemo(() => {
        const names = new Map((experiments.data ?? []).map(one => [one.id, one.name]))
        const every: { text: string; kind: string; act: () => void }[] = [
            { text: "Projects", kind: "go to", act: () => navigate("/") }, { text: "Runs", kind: "go to", act: () => navigate("/runs") }, { text: "Models", kind: "go to", act: () => navigate("/models") },
            { text: "Comparisons", kind: "go to", act: () => navigate("/compare") }, { text: "Storage", kind: "go to", act: () => navigate("/settings/storage") }, { text: "Tokens", kind: "go to", act: () => navigate("/settings") },
            { text: "Dark theme", kind: "look", act: () => setTheme("dark") }, { text: "Light theme", kind: "look", act: () => setTheme("light") },
            { text: "Compact rows", kind: "look", act: () => setDensity("compact") }, { text: "Normal rows", kind: "look", act: () => setDensity("normal") }, { text: "Relaxed rows", kind: "look", act: () => setDensity("relaxed") },
            ...(experiments.data ?? []).map(one => ({ text: one.name, kind: `experiment in ${one.project}`, act: () => navigate(`/experiments/${one.id}`) })),
            ...(runs.data?.columns.id ?? []).map((id, index) => ({
                text: runs.data!.columns.name[index]!, kind: `run in ${names.get(runs.data!.columns.experiment_id[index]!) ?? ""}`, act: () => navigate(`/runs/${id}`),
            })),
        ]
        const words = text.toLowerCase().split(/\s+/).filter(Boolean)
        return every.filter(entry => words.every(word => `${entry.text} ${entry.kind}`.toLowerCase().includes(word))).slice(0, 40)
    }, [text, experiments.data, runs.data])
    const list = useRef<HTMLUListElement>(null)
    useEffect(() => { list.current?.children[at]?.scrollIntoView({ block: "nearest" }) }, [at])
    const act = (index: number): void => {
        entries[index]?.act()
        onClose()
    }
    return (
        <div className="sheet" role="dialog" aria-modal="true" aria-label="Search and commands">
            <label className="field">
                <span className="hidden">Where to</span>
                <input autoFocus role="combobox" aria-expanded="true" aria-controls="what-fits" aria-activedescendant={entries[at] ? `fits-${at}` : undefined} placeholder="An experiment, a run, a command" value={text} onChange={event => { setText(event.target.value); setAt(0) }}
                    onKeyDown={event => {
                        if (event.key === "ArrowDown") setAt(Math.min(entries.length - 1, at + 1))
                        else if (event.key === "ArrowUp") setAt(Math.max(0, at - 1))
                        else if (event.key === "Enter") act(at)
                        // There is nowhere else to go in here.
                        else if (event.key !== "Tab") return
                        event.preventDefault()
                    }} />
            </label>
            <ul role="listbox" aria-label="What fits" id="what-fits" ref={list}>{entries.map((entry, index) => (
                <li key={index} id={`fits-${index}`} role="option" aria-selected={index === at} onClick={() => act(index)} onPointerMove={() => setAt(index)}><span className="cut">{entry.text}</span><span className="muted">{entry.kind}</span></li>
            ))}</ul>
            {entries.length === 0 && <p className="empty">Nothing fits “{text}”.</p>}
        </div>
    )
}

const keys: [string, string][] = [
    ["Ctrl K", "search and commands"], ["/", "filter runs"], ["?", "these keys"], ["Esc", "close, or reset a chart’s zoom"],
    ["← →", "in a chart: move the mark; with Shift, move the zoomed part"], ["+ −", "in a chart: zoom"], ["drag", "across a chart: zoom; double click resets"],
    ["Shift click", "in a run’s chart: write a note at that step; N does so at the mark"],
    ["↑ ↓", "in a list of runs or experiments: next and previous"], ["X", "in a table of runs or a list of experiments: pick; with Shift, all from the last one"], ["↵", "on a picked experiment: name the comparison, then make it"], ["Alt click", "on an eye: show this alone"],
]

function Keys(): JSX.Element {
    return (
        <div className="sheet" role="dialog" aria-modal="true" aria-label="Keys" tabIndex={-1} ref={sheet => sheet?.focus()} onKeyDown={event => event.key === "Tab" && event.preventDefault()}>
            <ul>{keys.map(([key, does]) => <li key={key}><span>{does}</span><kbd>{key}</kbd></li>)}</ul>
        </div>
    )
}
