// Experiments of a project as rows, which can be picked for a comparison by mouse and by keys.
import type { KeyboardEvent } from "react"
import type { Experiment, RunState } from "../../api/types"
import { Link } from "../../app/router"
import { formatAgo, formatCount, fullTime } from "../../ui/format"

interface ListProps {
    experiments: Experiment[]
    picked: ReadonlySet<string>
    /** `toHere` picks all from the one that was touched last. */
    onPick: (id: string, toHere: boolean) => void
    /** Where the name of the comparison is asked for. */
    onCompare: () => void
}

export function ExperimentList({ experiments, picked, onPick, onCompare }: ListProps): JSX.Element {
    const onKey = (event: KeyboardEvent, id: string): void => {
        if (event.ctrlKey || event.metaKey || event.altKey) return
        if (event.key === "ArrowDown" || event.key === "ArrowUp") {
            // Over all lists of the page, as they follow one another.
            const boxes = Array.from(document.querySelectorAll<HTMLInputElement>("[data-picks]"))
            boxes[boxes.indexOf(event.currentTarget as HTMLInputElement) + (event.key === "ArrowDown" ? 1 : -1)]?.focus()
        } else if (event.key === "x") onPick(id, event.shiftKey)
        else if (event.key === "Enter") onCompare()
        else return
        event.preventDefault()
    }
    return (
        <table className={`plain even experiments${picked.size ? " picking" : ""}`}>
            <thead><tr><th className="pick"><span className="hidden">Picked</span></th><th style={{ width: "24%" }}>Experiment</th><th>Question</th><th className="r" style={{ width: 80 }}>Runs</th><th style={{ width: 330 }}>States</th><th className="r" style={{ width: 110 }}>Changed</th></tr></thead>
            <tbody>{experiments.map(one => (
                <tr key={one.id} className={picked.has(one.id) ? "picked" : undefined}>
                    <td className="pick"><label><input type="checkbox" data-picks={one.id} aria-label={`Pick ${one.name}`} checked={picked.has(one.id)} onKeyDown={event => onKey(event, one.id)}
                        onChange={event => onPick(one.id, (event.nativeEvent as globalThis.MouseEvent).shiftKey === true)} /></label></td>
                    <td className="cut"><Link to={`/experiments/${one.id}`} title={one.name} style={{ fontWeight: 550 }}>{one.name}</Link></td>
                    <td className="muted cut" title={one.description || one.hypothesis}>{one.description || one.hypothesis}</td>
                    <td className="r">{formatCount(one.run_count ?? 0)}</td>
                    <td><StateBar states={one.runs_by_state ?? {}} /></td>
                    <td className="r muted" title={fullTime(one.updated_at)}>{formatAgo(one.updated_at)}</td>
                </tr>
            ))}</tbody>
        </table>
    )
}

const order: RunState[] = ["running", "queued", "finished", "failed", "lost", "cancelled", "archived"]

function StateBar({ states }: { states: Partial<Record<RunState, number>> }): JSX.Element {
    const words = order.filter(state => states[state])
    return <span style={{ display: "inline-flex", gap: 10 }}>{words.map(state => <span key={state} className={`state ${state} num`}>{formatCount(states[state]!)} {state}</span>)}</span>
}
