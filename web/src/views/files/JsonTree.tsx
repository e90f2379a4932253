// JSON as a tree whose branches open by mouse and keyboard, or as its text.
import "../../core"
import { useMemo, useState } from "react"
import type { Json } from "../../api/types"
import { plural } from "../../ui/format"

const childrenAtFirst = 100
const openDepth = 2

export default function JsonTree({ text }: { text: string }): JSX.Element {
    const [isText, setText] = useState(false)
    const found = useMemo((): { value: Json } | null => {
        try {
            return { value: JSON.parse(text) as Json }
        } catch {
            return null
        }
    }, [text])
    if (!found) return <><p className="note muted">This is no strict JSON; here is its text.</p><pre>{text}</pre></>
    return (
        <>
            <button className="button" aria-pressed={isText} onClick={() => setText(!isText)}>As text</button>
            {isText ? <pre style={{ marginTop: 8 }}>{JSON.stringify(found.value, null, 2)}</pre> : <div className="tree"><Branch name={null} value={found.value} depth={0} /></div>}
        </>
    )
}

function Branch({ name, value, depth }: { name: string | null; value: Json; depth: number }): JSX.Element {
    const [isOpen, setOpen] = useState(depth < openDepth)
    const [shown, setShown] = useState(childrenAtFirst)
    const label = name === null ? null : <span className="tree-name">{name}</span>
    if (value === null || typeof value !== "object") return <div className="tree-leaf">{label}<span className={typeof value === "string" ? "tree-text" : "tree-word"}>{JSON.stringify(value)}</span></div>
    const entries = Array.isArray(value) ? value.map((one, index): [string, Json] => [String(index), one]) : Object.entries(value)
    if (entries.length === 0) return <div className="tree-leaf">{label}<span className="muted">{Array.isArray(value) ? "empty list" : "nothing inside"}</span></div>
    return (
        <details open={isOpen} onToggle={event => { event.stopPropagation(); setOpen(event.currentTarget.open) }}>
            <summary>{label}<span className="muted">{plural(entries.length, Array.isArray(value) ? "element" : "key")}</span></summary>
            {isOpen && entries.slice(0, shown).map(([key, child]) => <Branch key={key} name={key} value={child} depth={depth + 1} />)}
            {isOpen && entries.length > shown && <button className="button" onClick={() => setShown(shown * 10)}>Show more of {plural(entries.length, "entry", "entries")}</button>}
        </details>
    )
}
