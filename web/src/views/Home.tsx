// All projects and their experiments.
import { useMemo, useState } from "react"
import { all, part, post } from "../api/client"
import { useChanges } from "../api/live"
import { invalidate, useResource } from "../api/resource"
import type { Experiment, Project } from "../api/types"
import { Frame } from "../app/Shell"
import { Link } from "../app/router"
import { plural } from "../ui/format"
import { Empty, Failure, Icon, Skeleton, toast } from "../ui/parts"
import { FirstSteps } from "./FirstSteps"
import { ComparisonBar } from "./experiments/ComparisonBar"
import { ExperimentList } from "./experiments/ExperimentList"
import { usePicking } from "./experiments/picking"

export function Home({ only }: { only?: string }): JSX.Element {
    const [search, setSearch] = useState("")
    const projects = useResource("projects", () => all<Project>("projects?limit=1000", "projects"))
    const experiments = useResource("experiments", () => all<Experiment>("experiments?limit=1000", "experiments"))
    useChanges("", changes => {
        if (changes.some(change => change.event)) {
            invalidate("projects")
            invalidate("experiments")
        }
    }, before => {
        invalidate("projects", before)
        invalidate("experiments", before)
    })
    const shown = useMemo(() => {
        const word = search.toLowerCase()
        return (projects.data ?? [])
            .filter(project => !only || project.slug === only || project.id === only)
            .map(project => ({
                project,
                experiments: (experiments.data ?? [])
                    .filter(one => one.project_id === project.id && `${one.name} ${one.description} ${project.name}`.toLowerCase().includes(word))
                    .sort((a, b) => Number((b.run_count ?? 0) > 0) - Number((a.run_count ?? 0) > 0) || b.updated_at.localeCompare(a.updated_at)),
            }))
            .filter(entry => entry.project.slug !== "default" || only || entry.experiments.some(one => one.run_count))
            .filter(entry => entry.experiments.length > 0 || (!search && (entry.project.slug !== "default" || only)))
            .sort((a, b) => (b.project.last_activity ?? "").localeCompare(a.project.last_activity ?? ""))
    }, [projects.data, experiments.data, search, only])
    const inSight = useMemo(() => shown.flatMap(entry => entry.experiments), [shown])
    const picking = usePicking(inSight)
    const picked = useMemo(() => (experiments.data ?? []).filter(one => picking.picked.has(one.id)), [experiments.data, picking.picked])
    const error = projects.error ?? experiments.error
    const isEmpty = !!experiments.data && experiments.data.every(one => !one.run_count)
    const single = only ? (projects.data ?? []).find(project => project.slug === only || project.id === only) : undefined
    return (
        <Frame crumbs={only ? [{ name: single?.name ?? only }] : []}>
            <main className="page" id="main">
                <div className="head">
                    <div className="grow"><h1>{single?.name ?? "Projects"}</h1>{single && <p className="lead">{single.description}</p>}</div>
                    <label className="field" style={{ width: 240 }}><Icon name="search" /><span className="hidden">Search experiments</span><input type="search" data-keys="/" placeholder="Search experiments" value={search} onChange={event => setSearch(event.target.value)} /></label>
                    <NewExperiment project={single?.slug ?? "default"} />
                </div>
                {error ? <Failure error={error} again={() => { projects.reload(); experiments.reload() }} /> : projects.isLoading || experiments.isLoading ? <Skeleton rows={8} />
                    : isEmpty && !search ? <div className="card"><FirstSteps experiment={experiments.data?.[0]?.name ?? "digits"} /></div>
                    : only && !single && !search ? <Empty title={`There is no project “${only}”`}>It may have been renamed or deleted. <Link className="text" to="/">All projects</Link></Empty>
                    : shown.length === 0 ? <Empty title="Nothing fits">No experiment has “{search}” in its name or question. <button className="plain-link text" onClick={() => setSearch("")}>Show all</button></Empty>
                    : shown.map(({ project, experiments: list }) => (
                        <section key={project.id} aria-label={project.name}>
                            {!only && (
                                <div className="section-title">
                                    <h2><Link to={`/projects/${part(project.slug)}`}>{project.name}</Link></h2>
                                    <span className="muted cut">{project.description}</span><span className="grow" />
                                    {project.team && <span className="chip">{project.team}</span>}
                                    <span className="muted num">{plural(project.run_count ?? 0, "run")}</span>
                                </div>
                            )}
                            <div className="card" style={{ overflowX: "auto" }}>
                                {list.length === 0 ? <p className="muted" style={{ padding: "12px 14px" }}>No experiments yet.</p> : (
                                    <ExperimentList experiments={list} picked={picking.picked} onPick={picking.pick} onCompare={picking.toName} />
                                )}
                            </div>
                        </section>
                    ))}
                {picked.length > 0 && <ComparisonBar picked={picked} unseen={picked.filter(one => !inSight.includes(one)).length} nameField={picking.nameField} onClear={picking.clear} />}
            </main>
        </Frame>
    )
}

function NewExperiment({ project }: { project: string }): JSX.Element {
    const [name, setName] = useState<string | null>(null)
    if (name === null) return <button className="button" onClick={() => setName("")}>New experiment</button>
    return (
        <form style={{ display: "flex", gap: 6 }} onSubmit={event => {
            event.preventDefault()
            if (!name.trim()) return
            post("experiments", { name: name.trim(), project }).then(() => {
                setName(null)
                invalidate("experiments")
            }, (error: Error) => toast(error.message))
        }}>
            <label className="field"><span className="hidden">Name</span><input autoFocus placeholder="Name" value={name} onChange={event => setName(event.target.value)} onKeyDown={event => event.key === "Escape" && setName(null)} /></label>
            <button className="button main">Create</button>
        </form>
    )
}

