// What an experiment is for: its question, its hypothesis, its notes.
import "../core"
import { useState } from "react"
import { get, part, patch } from "../api/client"
import { invalidate, useResource } from "../api/resource"
import type { Experiment } from "../api/types"
import { ExperimentFrame } from "../app/Shell"
import { fullTime } from "../ui/format"
import { Failure, Skeleton, toast } from "../ui/parts"
import { Notes } from "./Notes"

export default function About({ id }: { id: string }): JSX.Element {
    const { data, error } = useResource(`experiment/${id}`, () => get<Experiment>(`experiments/${part(id)}`))
    return (
        <ExperimentFrame id={id} tab="notes">
            <main className="page" id="main" style={{ maxWidth: 1500 }}>
                {error ? <Failure error={error} /> : !data ? <Skeleton /> : (
                    <>
                        <div className="head"><div><h1>{data.name}</h1><p className="lead">Made {fullTime(data.created_at)}</p></div></div>
                        <div className="two">
                            <Text key={data.description} name="Question" field="description" id={data.id} text={data.description} hint="What do you want to find out?" />
                            <Text key={data.hypothesis} name="Hypothesis" field="hypothesis" id={data.id} text={data.hypothesis} hint="What do you expect, and by how much?" />
                        </div>
                        <div className="section-title"><h2>Notes</h2></div>
                        <Notes owner={`experiments/${part(data.id)}`} />
                    </>
                )}
            </main>
        </ExperimentFrame>
    )
}

function Text({ name, field, id, text, hint }: { name: string; field: string; id: string; text: string; hint: string }): JSX.Element {
    const [draft, setDraft] = useState(text)
    const save = (): void => {
        if (draft !== text) patch(`experiments/${id}`, { [field]: draft }).then(() => { invalidate("experiment"); toast(`${name} saved`) }, (error: Error) => toast(error.message))
    }
    return <div><div className="section-title" style={{ marginTop: 0 }}><h2>{name}</h2></div><label className="field" style={{ height: "auto", padding: 10 }}><span className="hidden">{name}</span><textarea rows={3} placeholder={hint} value={draft} onChange={event => setDraft(event.target.value)} onBlur={save} /></label></div>
}
