// A note for a place of a curve, written where the curve is.
import { useState } from "react"

interface Props {
    metric: string
    step: number
    onSave: (step: number, text: string) => Promise<unknown>
    onClose: () => void
}

export function PinForm({ metric, step, onSave, onClose }: Props): JSX.Element {
    const [at, setAt] = useState(String(step))
    const [text, setText] = useState("")
    const [isSaving, setSaving] = useState(false)
    const isWhole = /^-?\d+$/.test(at.trim())
    const save = (): void => {
        if (!text.trim() || !isWhole || isSaving) return
        setSaving(true)
        onSave(Number(at), text.trim()).then(onClose, () => setSaving(false))
    }
    return (
        <form className="pin-form" aria-label={`Note on ${metric}`} onSubmit={event => { event.preventDefault(); save() }} onKeyDown={event => {
            if (event.key === "Escape") onClose()
            if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) save()
        }}>
            <label className="label">Note at step <span className={`field${isWhole ? "" : " bad"}`} style={{ width: 86 }}><input inputMode="numeric" value={at} onChange={event => setAt(event.target.value)} aria-invalid={!isWhole} /></span></label>
            <label className="field" style={{ height: "auto", padding: "6px 9px" }}><span className="hidden">Note</span><textarea autoFocus rows={2} placeholder="What happened here? Markdown." value={text} onChange={event => setText(event.target.value)} /></label>
            <span style={{ display: "flex", gap: 6 }}><button className="button main" disabled={!text.trim() || !isWhole || isSaving}>Save note</button><button type="button" className="button" onClick={onClose}>Cancel</button></span>
        </form>
    )
}
