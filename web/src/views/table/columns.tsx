// The columns of the runs' table: which there are, which are shown, and what stands in their cells.
import { useState } from "react"
import type { LoggedNames } from "../../api/types"
import { exactNumber } from "../../ui/format"
import { Icon } from "../../ui/parts"
import { valueOf } from "../RunList"
import { type RunRow, isSeedName } from "../runs"

export interface Column { id: string; name: string; isNumber: boolean }

const plain: Column[] = [{ id: "state", name: "State", isNumber: false }, { id: "started", name: "Started", isNumber: true }, { id: "duration", name: "Duration", isNumber: true }, { id: "user", name: "User", isNumber: false }]

export function namesIn(columns: string[], kind: string): string[] {
    return columns.filter(name => name.startsWith(kind)).map(name => name.slice(kind.length))
}

/** What is likely to have been logged step by step. */
function isSparked(name: string): boolean {
    return /loss|acc|reward|score|perplexity/i.test(name) && !name.startsWith("system/")
}

export function standardColumns({ metrics, params }: LoggedNames): string[] {
    return ["state", "started", "duration", ...metrics.filter(isSparked).slice(0, 1).map(name => `curve.${name}`), ...metrics.filter(name => !name.startsWith("system/")).slice(0, 6).map(name => `metrics.${name}`), ...params.slice(0, 12).map(name => `params.${name}`)]
}

export function columnsOf(wanted: string[]): Column[] {
    return wanted.map(column => plain.find(one => one.id === column) ?? { id: column, name: column.startsWith("curve.") ? `${column.slice(6)} curve` : column.slice(column.indexOf(".") + 1), isNumber: column.startsWith("metrics.") })
}

/** Without params that are the same in all rows. */
export function differingColumns(columns: Column[], different: string[]): Column[] {
    return columns.filter(column => !column.id.startsWith("params.") || different.includes(column.id.slice(7)))
}

export function GroupChoice({ group, different, onChange }: { group: string | null; different: string[]; onChange: (group: string | null) => void }): JSX.Element {
    return (
        <label className="label">Group by <select className="select" value={group ?? ""} onChange={event => onChange(event.target.value || null)}>
            <option value="">nothing</option>{different.some(isSeedName) && <option value="seeds">all but seeds</option>}{different.map(name => <option key={name}>{name}</option>)}
        </select></label>
    )
}

export function ColumnPicker({ names, wanted, onChange }: { names: LoggedNames | undefined; wanted: string[]; onChange: (columns: string[]) => void }): JSX.Element {
    const [isOpen, setOpen] = useState(false)
    const [search, setSearch] = useState("")
    const every = [...plain.map(column => column.id), ...(names?.metrics ?? []).map(name => `metrics.${name}`), ...(names?.metrics ?? []).map(name => `curve.${name}`), ...(names?.params ?? []).map(name => `params.${name}`), ...(names?.tags ?? []).map(name => `tags.${name}`)]
    const shown = every.filter(name => name.toLowerCase().includes(search.toLowerCase())).slice(0, 200)
    return (
        <span className="with-menu">
            <button className="button" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}><Icon name="columns" />Columns <span className="muted num">{wanted.length}</span></button>
            {isOpen && <div className="scrim" style={{ background: "none" }} onClick={() => setOpen(false)} />}
            {isOpen && (
                <div className="menu" style={{ left: 0, right: "auto", width: 300, zIndex: 41 }}>
                    <label className="field" style={{ margin: 4 }}><Icon name="search" /><span className="hidden">Search columns</span><input autoFocus type="search" placeholder="Search columns" value={search} onChange={event => setSearch(event.target.value)} onKeyDown={event => event.key === "Escape" && setOpen(false)} /></label>
                    <div style={{ maxHeight: 340, overflow: "auto" }}>{shown.map(name => (
                        <label key={name} style={{ display: "flex", gap: 8, padding: "4px 9px", alignItems: "center" }}><input type="checkbox" checked={wanted.includes(name)} onChange={() => onChange(wanted.includes(name) ? wanted.filter(one => one !== name) : [...wanted, name])} /><span className="cut">{name}</span></label>
                    ))}</div>
                </div>
            )}
        </span>
    )
}

export function csvOf(rows: RunRow[], columns: Column[]): string {
    const quoted = (text: string): string => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)
    const full = (row: RunRow, column: string): string => column.startsWith("metrics.") ? (row.metrics[column.slice(8)] == null ? "" : exactNumber(row.metrics[column.slice(8)])) : column === "started" ? new Date(row.start).toISOString() : column === "duration" ? String(((row.end ?? Date.now()) - row.start) / 1000)
        : column.startsWith("params.") ? String(row.params[column.slice(7)] ?? "") : column.startsWith("tags.") ? row.tags[column.slice(5)] ?? "" : valueOf(row, column)
    return [["id", "run", ...columns.map(column => column.id)].map(quoted).join(","), ...rows.map(row => [row.id, row.name, ...columns.map(column => full(row, column.id))].map(quoted).join(","))].join("\n") + "\n"
}
