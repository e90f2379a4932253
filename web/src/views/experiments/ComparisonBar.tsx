// What is picked for a comparison, and what still keeps it from being made.
import { type RefObject, useState } from "react"
import type { ApiError } from "../../api/client"
import { invalidate } from "../../api/resource"
import type { Experiment } from "../../api/types"
import { navigate } from "../../app/router"
import { plural } from "../../ui/format"
import { Icon } from "../../ui/parts"
import { keepExperiments } from "../comparison/keeping"

// As the server has them.
const [fewest, most] = [2, 50]

interface BarProps {
    picked: Experiment[]
    /** How many of them the search leaves out of sight. */
    unseen: number
    nameField: RefObject<HTMLInputElement>
    onClear: () => void
}

export function ComparisonBar({ picked, unseen, nameField, onClear }: BarProps): JSX.Element {
    const [name, setName] = useState("")
    const [isBusy, setBusy] = useState(false)
    const [refusal, setRefusal] = useState<ApiError | null>(null)
    const hindrance = picked.length < fewest ? `Pick ${plural(fewest - picked.length, "more experiment")}.` : picked.length > most ? `Up to ${most} are compared at once: untick ${picked.length - most}.` : ""
    // What the server says when it is given no name.
    const usual = picked.slice(0, 3).map(one => one.name).join(", ") + (picked.length > 3 ? ` and ${picked.length - 3} more` : "")
    const compare = (): void => {
        if (hindrance || isBusy) return
        setBusy(true)
        setRefusal(null)
        keepExperiments(picked.map(one => one.id), name.trim()).then(address => {
            invalidate("comparisons")
            navigate(address)
        }, (error: ApiError) => {
            setBusy(false)
            setRefusal(error)
        })
    }
    return (
        <form className="picked-bar" aria-label="Comparison" onSubmit={event => { event.preventDefault(); compare() }}>
            <span className="num" role="status"><b>{plural(picked.length, "experiment")}</b> picked{unseen > 0 && <span className="muted">, {unseen} not in sight</span>}</span>
            <label className="field"><span className="hidden">Name of the comparison</span><input ref={nameField} placeholder={hindrance ? "Name of the comparison" : usual} maxLength={200} value={name} onChange={event => setName(event.target.value)} /></label>
            <button className="button main" disabled={!!hindrance || isBusy}>{isBusy ? "Comparing…" : "Compare"}</button>
            <button type="button" className="button quiet icon" aria-label="Pick none" title="Pick none (Esc)" onClick={onClear}><Icon name="close" /></button>
            {hindrance && <p className={picked.length > most ? "filter-error" : "muted"} role={picked.length > most ? "alert" : undefined}>{hindrance}</p>}
            {refusal && <p className="filter-error" role="alert">{refusal.message} {refusal.remedy}</p>}
        </form>
    )
}
