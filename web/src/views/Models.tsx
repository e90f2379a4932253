// The registry: names of models, their versions with aliases and stages.
import "../core"
import { Suspense, lazy, useState } from "react"
import { all, get, part, post, put, remove } from "../api/client"
import { invalidate, useResource } from "../api/resource"
import { Link, setQuery, useAddress } from "../app/router"
import { Frame } from "../app/Shell"
import { formatAgo, formatCount, fullTime } from "../ui/format"
import { Empty, Failure, Icon, Skeleton, toast } from "../ui/parts"

const Lineage = lazy(() => import("./lineage/Lineage").then(module => ({ default: module.Lineage })))

interface Model { name: string; project: string; description: string; version_count: number; aliases: Record<string, number>; updated_at: string }
interface Version { version: number; stage: string; status: string; description: string; source: string; run_id: string | null; aliases: string[]; created_at: string; user: string | null }

export default function Models({ name }: { name?: string }): JSX.Element {
    return name ? <OneModel name={name} /> : <AllModels />
}

function AllModels(): JSX.Element {
    const models = useResource("models", () => all<Model>("models?limit=1000", "models"))
    return (
        <Frame crumbs={[{ name: "Models" }]}>
            <main className="page" id="main">
                <div className="head"><div><h1>Models</h1><p className="lead">Names under which versions are registered, from a run’s artifact or from anywhere.</p></div></div>
                {models.error ? <Failure error={models.error} again={models.reload} /> : !models.data ? <Skeleton />
                    : models.data.length === 0 ? <div className="card"><Empty title="No models yet"><pre>martlet models create my-model</pre></Empty></div> : (
                        <div className="card" style={{ overflowX: "auto" }}><table className="plain">
                            <thead><tr><th>Model</th><th>Project</th><th>About</th><th>Aliases</th><th className="r">Versions</th><th className="r">Changed</th></tr></thead>
                            <tbody>{models.data.map(model => (
                                <tr key={`${model.project}/${model.name}`}><td><Link to={`/models/${part(model.name)}?project=${part(model.project)}`} style={{ fontWeight: 550 }}>{model.name}</Link></td><td className="muted">{model.project}</td><td className="muted">{model.description}</td><td><span className="chips">{Object.entries(model.aliases).map(([alias, version]) => <span key={alias} className="chip num">@{alias} → {version}</span>)}</span></td><td className="r">{formatCount(model.version_count ?? 0)}</td><td className="r muted" title={fullTime(model.updated_at)}>{formatAgo(model.updated_at)}</td></tr>
                            ))}</tbody>
                        </table></div>
                    )}
            </main>
        </Frame>
    )
}

const stages = ["None", "Staging", "Production", "Archived"]

function OneModel({ name }: { name: string }): JSX.Element {
    const { query } = useAddress()
    const project = query.get("project")
    const traced = query.get("lineage")
    const where = project ? `?project=${part(project)}` : ""
    const model = useResource(`model/${name}${where}`, () => get<Model>(`models/${part(name)}${where}`))
    const versions = useResource(`model/${name}${where}/versions`, () => all<Version>(`models/${part(name)}/versions${where}`, "model_versions"))
    // The newest is what one comes for.
    const newestFirst = [...(versions.data ?? [])].sort((a, b) => b.version - a.version)
    const changed = (said: string): void => {
        invalidate("model")
        toast(said)
    }
    const move = (version: number, stage: string): void => {
        post(`models/${part(name)}/versions/${version}/stage${where}`, { stage }).then(() => changed(stage === "None" ? `Version ${version} is in no stage now` : `Version ${version} is now ${stage}`), (error: Error) => toast(error.message))
    }
    const setAlias = (alias: string, version: number | null): void => {
        const place = `models/${part(name)}/aliases/${part(alias)}${where}`
        const before = model.data?.aliases[alias]
        void (version === null ? remove(place) : put(place, { version })).then(
            () => changed(version === null ? `@${alias} is taken away` : before !== undefined && before !== version ? `@${alias} moved from version ${before} to ${version}` : `@${alias} stands for version ${version}`),
            (error: Error) => toast(error.message))
    }
    return (
        <Frame crumbs={[{ name: "Models", to: "/models" }, { name }]}>
            <main className="page" id="main">
                {model.error ? <Failure error={model.error} again={model.reload} /> : !model.data ? <Skeleton /> : (
                    <>
                        <div className="head"><div><h1>{model.data.name}</h1><p className="lead">{model.data.description || `In project ${model.data.project}.`}</p></div></div>
                        {versions.error ? <Failure error={versions.error} again={versions.reload} /> : !versions.data ? <Skeleton rows={4} /> : newestFirst.length === 0 ? <div className="card"><Empty title="No versions yet">Register one from a run: <code>martlet models register {name} RUN PATH</code></Empty></div> : (
                            <div className="card" style={{ overflowX: "auto" }}><table className="plain">
                                <thead><tr><th>Version</th><th>Stage</th><th>Aliases</th><th>Run</th><th>Source</th><th className="r">Made</th><th><span className="hidden">Lineage</span></th></tr></thead>
                                <tbody>{newestFirst.map(version => (
                                    <tr key={version.version}>
                                        <td><b className="num">{version.version}</b> <span className="muted">{version.description}</span>{version.status !== "READY" && <span className="chip">{version.status.toLowerCase().replace(/_/g, " ")}</span>}</td>
                                        <td><select className="select" aria-label={`Stage of version ${version.version}`} value={version.stage || "None"} onChange={event => move(version.version, event.target.value)}>{Array.from(new Set([...stages, version.stage || "None"])).map(stage => <option key={stage}>{stage}</option>)}</select></td>
                                        <td><Aliases version={version} onSet={setAlias} /></td>
                                        <td>{version.run_id ? <Link className="text mono" to={`/runs/${version.run_id}`}>{version.run_id.slice(0, 8)}</Link> : "–"}</td>
                                        <td className="mono wrap muted">{version.source}</td><td className="r muted" title={fullTime(version.created_at)}>{formatAgo(version.created_at)}{version.user && ` by ${version.user}`}</td>
                                        <td className="r"><button className="button" aria-label={`Lineage of version ${version.version}`} aria-pressed={traced === String(version.version)} onClick={() => setQuery({ lineage: traced === String(version.version) ? null : String(version.version), around: null })}>Lineage</button></td>
                                    </tr>
                                ))}</tbody>
                            </table></div>
                        )}
                        {traced && <Suspense fallback={<Skeleton />}><Lineage key={traced} home={`models/${part(name)}/versions/${part(traced)}/lineage${where}`} what={`Version ${traced}`} /></Suspense>}
                    </>
                )}
            </main>
        </Frame>
    )
}

/** The aliases of a version: each may be taken away, and a new one moves here from wherever it was. */
function Aliases({ version: { version, aliases }, onSet }: { version: Version; onSet: (alias: string, version: number | null) => void }): JSX.Element {
    const [draft, setDraft] = useState<string | null>(null)
    return (
        <span className="chips">
            {aliases.map(alias => <span key={alias} className="chip">@{alias}<button aria-label={`Take @${alias} away`} title={`Take @${alias} away`} onClick={() => onSet(alias, null)}><Icon name="close" /></button></span>)}
            {draft === null ? <button className="button quiet icon" aria-label={`Give version ${version} an alias`} title="Give it an alias" onClick={() => setDraft("")}><Icon name="add" /></button> : (
                <form onSubmit={event => {
                    event.preventDefault()
                    const alias = draft.trim().replace(/^@/, "")
                    if (alias) onSet(alias, version)
                    setDraft(null)
                }}><label className="field" style={{ width: 120 }}><span className="hidden">Alias</span><input autoFocus placeholder="champion" value={draft} onChange={event => setDraft(event.target.value)} onBlur={() => draft || setDraft(null)} onKeyDown={event => event.key === "Escape" && setDraft(null)} /></label></form>
            )}
        </span>
    )
}
