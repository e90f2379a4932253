// A run's artifacts: their list, what one of them looks like, and all its pictures as a wall.
import "../core"
import { Suspense, useMemo, useState } from "react"
import type { Artifact, Run } from "../api/types"
import { setQuery, useAddress } from "../app/router"
import { useTheme } from "../app/theme"
import { formatBytes, formatCount, plural } from "../ui/format"
import { Empty, Failure, Icon, Skeleton, copy } from "../ui/parts"
import { useArtifacts } from "./files/listing"
import { Viewer } from "./files/Viewer"
import { Gallery } from "./media/Gallery"
import { type Item, fileAddress, kindOfPath } from "./media/sources"

const listedAtFirst = 200
const isPicture = (artifact: Artifact): boolean => kindOfPath(artifact.path) === "image" && artifact.sha256 !== null
/** What says the most about a run is opened first: words and tables before weights and pictures. */
const isReadable = (artifact: Artifact): boolean => !/\.(bin|pt|pth|ckpt|safetensors|png|jpe?g|pkl)$|^media\//.test(artifact.path)

export default function Files({ run }: { run: Run }): JSX.Element {
    const { query } = useAddress()
    const theme = useTheme()
    const [search, setSearch] = useState("")
    const [listed, setListed] = useState(listedAtFirst)
    const { artifacts: all, isWhole, error } = useArtifacts(run.id)
    const shown = useMemo(() => (all ?? []).filter(artifact => artifact.path.toLowerCase().includes(search.toLowerCase())), [all, search])
    const pictures = useMemo(() => shown.filter(isPicture).map((artifact): Item => ({ run: run.id, step: 0, kind: "image", value: {}, path: artifact.path, mime: "" })), [shown, run.id])
    const isWall = query.get("view") === "pictures" && pictures.length > 0
    const path = query.get("path") ?? (shown.find(isReadable) ?? shown[0])?.path
    const artifact = isWall ? undefined : (all ?? []).find(one => one.path === path)
    if (error && !all) return <Failure error={error} />
    if (!all) return <Skeleton />
    if (all.length === 0) return <Empty title="No artifacts">Upload one: <code>martlet log artifact {run.short_id} FILE</code></Empty>
    return (
        <div className="files">
            <nav className="card" aria-label="Artifacts">
                {all.length > 12 && <label className="field" style={{ margin: 4 }}><Icon name="search" /><span className="hidden">Search files</span><input type="search" placeholder="Search files" value={search} onChange={event => setSearch(event.target.value)} /></label>}
                {pictures.length > 1 && <button aria-current={isWall ? "true" : undefined} onClick={() => setQuery({ view: "pictures", path: null })}><Icon name="columns" /><span className="grow">All pictures</span><span className="muted num">{isWhole && formatCount(pictures.length)}</span></button>}
                {shown.slice(0, listed).map(one => (
                    <button key={one.path} aria-current={artifact && one.path === path ? "true" : undefined} onClick={() => setQuery({ path: one.path, view: null })}>
                        <Icon name="file" /><span className="cut grow" title={one.path}>{one.path}</span><span className="muted num">{formatBytes(one.size_bytes)}</span>
                    </button>
                ))}
                {shown.length > listed && <button onClick={() => setListed(listed * 5)}>Show more of {plural(isWhole || search ? shown.length : run.artifact_count ?? shown.length, "file")}</button>}
            </nav>
            {!isWall && !artifact && !isWhole && <Skeleton />}
            {isWall && <section className="card" aria-label="Pictures" style={{ padding: 12 }}><Gallery items={pictures} size={110} title={run.name} name={item => item.path!} label={item => item.path!.split("/").pop()!} /></section>}
            {artifact && (
                <section className="card" aria-label={artifact.path}>
                    <div className="panel-head" style={{ padding: "18px 14px 14px", height: "auto", gap: 8 }}>
                        <h2 className="cut grow">{artifact.path}</h2><span className="chip">{artifact.type}</span><span className="muted num">{formatBytes(artifact.size_bytes)}</span>
                        {artifact.sha256 && <button className="button quiet" title={artifact.sha256} onClick={() => copy(artifact.sha256!, "SHA-256")}>Digest</button>}
                        <a className="button" href={fileAddress(run.id, artifact.path) + "?download=true"} download>Download</a>
                    </div>
                    <div className="viewer" style={{ borderTop: "1px solid var(--line)" }} tabIndex={0} role="group" aria-label="Content"><Suspense fallback={<Skeleton />}><Viewer key={artifact.path} run={run} artifact={artifact} artifacts={all} theme={theme} /></Suspense></div>
                </section>
            )}
        </div>
    )
}
