// Images of the visible runs at one step: one slider for all of them, arrow keys move it.
import { useMemo, useState } from "react"
import { all, apiAddress, part } from "../api/client"
import { useResource } from "../api/resource"
import type { Artifact } from "../api/types"
import type { Subject } from "../charts/subjects"
import type { RunRow } from "./runs"

const picture = /\.(png|jpe?g|gif|webp|svg)$/i
const runsMax = 12

interface Shot {
    run: string
    key: string
    step: number
    path: string
}

/** `media/samples_400.png` → samples, 400: the last number of the name is the step. */
export function shotsOf(run: string, artifacts: Artifact[]): Shot[] {
    return artifacts.filter(artifact => picture.test(artifact.path)).map(artifact => {
        const name = artifact.path.replace(/\.\w+$/, "")
        const number = /(\d+)$/.exec(name)
        return { run, path: artifact.path, step: number ? Number(number[1]) : 0, key: number ? name.slice(0, -number[1]!.length).replace(/[_\-./]+$/, "") : name }
    })
}

export function MediaSection({ subjects, rows }: { subjects: Subject[]; rows: RunRow[] }): JSX.Element | null {
    const runs = useMemo(() => subjects.flatMap(subject => subject.runs).slice(0, 40), [subjects])
    const found = useResource(runs.length ? `media/${runs.join(",")}` : null, async () => {
        const lists = await Promise.all(runs.map(run => all<Artifact>(`runs/${part(run)}/artifacts?limit=1000`, "artifacts").then(list => shotsOf(run, list), () => [])))
        return lists.flat()
    })
    const shots = found.data ?? []
    const keys = useMemo(() => Array.from(new Set(shots.map(shot => shot.key))).sort(), [shots])
    if (keys.length === 0) return null
    return <>{keys.slice(0, 6).map(key => <Strip key={key} name={key} shots={shots.filter(shot => shot.key === key)} rows={rows} />)}</>
}

export function Strip({ name, shots, rows }: { name: string; shots: Shot[]; rows: { id: string; name: string }[] }): JSX.Element {
    const steps = useMemo(() => Array.from(new Set(shots.map(shot => shot.step))).sort((a, b) => a - b), [shots])
    const [at, setAt] = useState(steps.length - 1)
    const step = steps[Math.min(at, steps.length - 1)] ?? 0
    const runs = Array.from(new Set(shots.map(shot => shot.run))).slice(0, runsMax)
    return (
        <section className="section" aria-label={name}>
            <div className="section-title">
                <h2>{name}</h2>
                {steps.length > 1 && <label className="label">step <input type="range" min={0} max={steps.length - 1} value={Math.min(at, steps.length - 1)} onChange={event => setAt(Number(event.target.value))} style={{ width: "min(220px, 40vw)" }} aria-valuetext={`step ${step}`} /> <output className="num">{step.toLocaleString("en-US")}</output></label>}
            </div>
            <div className="media">
                {runs.map(run => {
                    // The newest that is not later than the step: runs need not log at the same ones.
                    const shot = shots.filter(one => one.run === run && one.step <= step).sort((a, b) => b.step - a.step)[0]
                    const title = rows.find(row => row.id === run)?.name ?? run.slice(0, 8)
                    return shot && (
                        <figure key={run} className="card">
                            <img loading="lazy" src={apiAddress(`runs/${run}/artifacts/${shot.path.split("/").map(part).join("/")}`)} alt={`${name} of ${title} at step ${shot.step}`} />
                            <figcaption>{title} · step {shot.step.toLocaleString("en-US")}</figcaption>
                        </figure>
                    )
                })}
            </div>
        </section>
    )
}
