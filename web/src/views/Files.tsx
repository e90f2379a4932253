// A run's artifacts and what they look like: pictures, sound, tables, JSON, Markdown, text; HTML in a frame that may not
// reach the app.
import { Suspense, lazy, useMemo, useState } from "react"
import { apiAddress, part } from "../api/client"
import { useResource } from "../api/resource"
import type { Artifact, Run } from "../api/types"
import { setQuery, useAddress } from "../app/router"
import { formatBytes, formatCount } from "../ui/format"
import { Empty, Failure, Icon, Skeleton, copy } from "../ui/parts"

const Markdown = lazy(() => import("../ui/Markdown"))
const textMax = 2_000_000

export default function Files({ run }: { run: Run }): JSX.Element {
    const { query } = useAddress()
    const [search, setSearch] = useState("")
    const shown = run.artifacts.filter(artifact => artifact.path.toLowerCase().includes(search.toLowerCase()))
    const path = query.get("path") ?? shown.find(artifact => !/\.(bin|pt|ckpt|safetensors|png)$/.test(artifact.path))?.path ?? shown[0]?.path
    const artifact = run.artifacts.find(one => one.path === path)
    if (run.artifacts.length === 0) return <Empty title="No artifacts">Upload one: <code>martlet log artifact {run.short_id} FILE</code></Empty>
    return (
        <div className="files">
            <nav className="card" aria-label="Artifacts">
                {run.artifacts.length > 12 && <label className="field" style={{ margin: 4 }}><Icon name="search" /><span className="hidden">Search files</span><input type="search" placeholder="Search files" value={search} onChange={event => setSearch(event.target.value)} /></label>}
                {shown.slice(0, 1000).map(one => (
                    <button key={one.path} aria-current={one.path === path ? "true" : undefined} onClick={() => setQuery({ path: one.path })}>
                        <Icon name="file" /><span className="cut grow" title={one.path}>{one.path}</span><span className="muted num">{formatBytes(one.size_bytes)}</span>
                    </button>
                ))}
            </nav>
            {artifact && (
                <section className="card" aria-label={artifact.path}>
                    <div className="panel-head" style={{ padding: "18px 14px 14px", height: "auto", gap: 8 }}>
                        <h2 className="cut grow">{artifact.path}</h2><span className="chip">{artifact.type}</span><span className="muted num">{formatBytes(artifact.size_bytes)}</span>
                        {artifact.sha256 && <button className="button quiet" title={artifact.sha256} onClick={() => copy(artifact.sha256!, "SHA-256")}>Digest</button>}
                        <a className="button" href={address(run, artifact) + "?download=true"} download>Download</a>
                    </div>
                    <div className="viewer" style={{ borderTop: "1px solid var(--line)" }}><Viewer key={artifact.path} run={run} artifact={artifact} /></div>
                </section>
            )}
        </div>
    )
}

function address(run: Run, artifact: Artifact): string {
    return apiAddress(`runs/${run.id}/artifacts/${artifact.path.split("/").map(part).join("/")}`)
}

function Viewer({ run, artifact }: { run: Run; artifact: Artifact }): JSX.Element {
    const ending = /\.(\w+)$/.exec(artifact.path)?.[1]?.toLowerCase() ?? ""
    const source = address(run, artifact)
    if (artifact.uri && !artifact.sha256) return <p>It lies elsewhere: <code>{artifact.uri}</code>. The server opens no address that a client named.</p>
    if (["png", "jpg", "jpeg", "gif", "webp", "svg", "bmp"].includes(ending)) return <img src={source} alt={artifact.path} />
    if (["wav", "mp3", "ogg", "flac", "m4a"].includes(ending)) return <audio controls src={source} />
    if (["mp4", "webm", "mov"].includes(ending)) return <video controls src={source} style={{ maxWidth: "100%" }} />
    if (["html", "htm"].includes(ending)) return <HTMLFrame source={source} name={artifact.path} />
    if (["bin", "pt", "pth", "ckpt", "safetensors", "onnx", "pkl", "npz", "npy", "h5", "zip", "gz", "tar", "parquet"].includes(ending)) return <Empty title="Bytes">This kind of file is not shown. Its content is downloaded as it was logged.</Empty>
    if (artifact.size_bytes > textMax) return <Empty title="Too large to show">{formatBytes(artifact.size_bytes)}: download it.</Empty>
    return <TextFile source={source} ending={ending} />
}

/** The text is put into the frame by us: the frame has no origin, so no script in it reaches the app or its cookies. */
function HTMLFrame({ source, name }: { source: string; name: string }): JSX.Element {
    const text = useResource(`text/${source}`, () => fetch(source).then(answer => answer.text()))
    if (text.error) return <Failure error={text.error} />
    return text.data === undefined ? <Skeleton /> : <iframe title={name} sandbox="" srcDoc={text.data} />
}

function TextFile({ source, ending }: { source: string; ending: string }): JSX.Element {
    const text = useResource(`text/${source}`, () => fetch(source).then(answer => answer.text()))
    if (text.error) return <Failure error={text.error} />
    if (text.data === undefined) return <Skeleton />
    if (ending === "csv" || ending === "tsv") return <Sheet text={text.data} parting={ending === "tsv" ? "\t" : ","} />
    if (ending === "md" || ending === "markdown") return <Suspense fallback={<Skeleton />}><Markdown text={text.data} /></Suspense>
    if (ending === "ipynb") return <Notebook text={text.data} />
    if (ending === "json") {
        try {
            return <pre>{JSON.stringify(JSON.parse(text.data), null, 2)}</pre>
        } catch {
            return <pre>{text.data}</pre>
        }
    }
    if (text.data.includes("\u0000")) return <Empty title="Bytes">This file is no text.</Empty>
    return <pre>{text.data}</pre>
}

function cellsOf(text: string, parting: string): string[][] {
    const rows: string[][] = [[]]
    let cell = ""
    let isQuoted = false
    for (let index = 0; index < text.length; index += 1) {
        const letter = text[index]!
        if (isQuoted) {
            if (letter === '"' && text[index + 1] === '"') { cell += '"'; index += 1 } else if (letter === '"') isQuoted = false
            else cell += letter
        } else if (letter === '"') isQuoted = true
        else if (letter === parting) { rows[rows.length - 1]!.push(cell); cell = "" } else if (letter === "\n") {
            rows[rows.length - 1]!.push(cell.replace(/\r$/, ""))
            cell = ""
            rows.push([])
        } else cell += letter
    }
    if (cell || rows[rows.length - 1]!.length) rows[rows.length - 1]!.push(cell)
    return rows.filter(row => row.length > 0)
}

const sheetMax = 500

function Sheet({ text, parting }: { text: string; parting: string }): JSX.Element {
    const [sort, setSort] = useState<{ column: number; falls: boolean } | null>(null)
    const [search, setSearch] = useState("")
    const [head, ...rows] = useMemo(() => cellsOf(text, parting), [text, parting])
    const shown = useMemo(() => {
        let list = search ? rows.filter(row => row.some(cell => cell.toLowerCase().includes(search.toLowerCase()))) : [...rows]
        if (sort) {
            const isNumeric = rows.every(row => row[sort.column] === "" || !Number.isNaN(Number(row[sort.column])))
            list = [...list].sort((a, b) => (isNumeric ? Number(a[sort.column]) - Number(b[sort.column]) : (a[sort.column] ?? "").localeCompare(b[sort.column] ?? "")) * (sort.falls ? -1 : 1))
        }
        return list
        // eslint-disable-next-line
    }, [text, search, sort])
    return (
        <>
            <div className="tools" style={{ background: "none", padding: "0 0 8px" }}><label className="field" style={{ width: 220 }}><Icon name="search" /><span className="hidden">Search rows</span><input type="search" placeholder="Search rows" value={search} onChange={event => setSearch(event.target.value)} /></label><span className="muted num">{formatCount(shown.length)} rows{shown.length > sheetMax && `, ${sheetMax} shown`}</span></div>
            <table className="plain">
                <thead><tr>{(head ?? []).map((name, column) => <th key={column} aria-sort={sort?.column === column ? (sort.falls ? "descending" : "ascending") : "none"}><button className="button quiet" style={{ padding: 0 }} onClick={() => setSort({ column, falls: sort?.column === column ? !sort.falls : false })}>{name}{sort?.column === column && (sort.falls ? " ▼" : " ▲")}</button></th>)}</tr></thead>
                <tbody>{shown.slice(0, sheetMax).map((row, index) => <tr key={index}>{row.map((cell, place) => <td key={place}>{cell}</td>)}</tr>)}</tbody>
            </table>
        </>
    )
}

interface Cell { cell_type: string; source: string | string[]; outputs?: { text?: string | string[]; data?: Record<string, string | string[]> }[] }

function Notebook({ text }: { text: string }): JSX.Element {
    const join = (value: string | string[] | undefined): string => (Array.isArray(value) ? value.join("") : value ?? "")
    let cells: Cell[]
    try {
        cells = (JSON.parse(text) as { cells: Cell[] }).cells ?? []
    } catch {
        return <pre>{text}</pre>
    }
    return (
        <div className="prose">{cells.map((cell, index) => cell.cell_type === "markdown"
            ? <Suspense key={index} fallback={null}><Markdown text={join(cell.source)} /></Suspense>
            : <div key={index}><pre>{join(cell.source)}</pre>{(cell.outputs ?? []).map((output, place) => output.data?.["image/png"]
                ? <img key={place} alt="Output" src={`data:image/png;base64,${join(output.data["image/png"]).replace(/\s/g, "")}`} /> : <pre key={place} className="muted">{join(output.text ?? output.data?.["text/plain"])}</pre>)}</div>)}</div>
    )
}
