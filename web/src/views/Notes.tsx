// Notes in Markdown, on a run or an experiment.
import { Suspense, lazy, useState } from "react"
import { all, patch, post } from "../api/client"
import { invalidate, useResource } from "../api/resource"
import type { Note } from "../api/types"
import { formatAgo, formatTime } from "../ui/format"
import { Failure, toast } from "../ui/parts"

const Markdown = lazy(() => import("../ui/Markdown"))

export function NoteCard({ note }: { note: Note }): JSX.Element {
    return (
        <article className="card" style={{ padding: "10px 14px", marginBottom: 8 }}>
            <p className="muted" style={{ fontSize: 12, marginBottom: 4 }}>{note.author} · {formatTime(note.created_at)}{note.edits > 0 && ` · edited ${formatAgo(note.updated_at)}`}{note.metric && ` · ${note.metric} at step ${note.step ?? "?"}`}</p>
            <Suspense fallback={<p>{note.text}</p>}><Markdown text={note.text} /></Suspense>
        </article>
    )
}

export function Notes({ owner }: { owner: string }): JSX.Element {
    const key = `notes/${decodeURIComponent(owner)}`
    const notes = useResource(key, () => all<Note>(`${owner}/notes`, "notes"))
    const [text, setText] = useState("")
    const [edited, setEdited] = useState<number | null>(null)
    const save = (): void => {
        const done = (): void => { setText(""); setEdited(null); invalidate("notes/") }
        const what = edited === null ? post(`${owner}/notes`, { text }) : patch(`${owner}/notes/${edited}`, { text })
        what.then(done, (error: Error) => toast(error.message))
    }
    return (
        <div style={{ maxWidth: 760 }}>
            {notes.error && <Failure error={notes.error} />}
            {(notes.data ?? []).map(note => (
                <div key={note.note} style={{ position: "relative" }}>
                    <NoteCard note={note} />
                    <span style={{ position: "absolute", right: 8, top: 6 }}><button className="button quiet" onClick={() => { setEdited(note.note); setText(note.text) }}>Edit</button></span>
                </div>
            ))}
            <label className="field" style={{ height: "auto", padding: 10, marginTop: 8 }}><span className="hidden">Note</span><textarea rows={5} placeholder="What did you see, and what next? Markdown." value={text} onChange={event => setText(event.target.value)} onKeyDown={event => event.key === "Enter" && (event.ctrlKey || event.metaKey) && text.trim() && save()} /></label>
            <p style={{ display: "flex", gap: 8, marginTop: 8 }}><button className="button main" disabled={!text.trim()} onClick={save}>{edited === null ? "Add note" : "Save"}</button>{edited !== null && <button className="button" onClick={() => { setEdited(null); setText("") }}>Cancel</button>}</p>
        </div>
    )
}
