// What a file looks like, by its name's ending. HTML stands in a frame that may not reach the app.
import { Suspense, lazy, useMemo } from "react"
import { useResource } from "../../api/resource"
import type { Artifact, Run } from "../../api/types"
import { formatBytes } from "../../ui/format"
import { Empty, Failure, Skeleton } from "../../ui/parts"
import { HTMLFrame } from "../media/Values"
import { fileAddress, kindOfPath } from "../media/sources"
import { csvGrid } from "./csv"

const Markdown = lazy(() => import("../../ui/Markdown"))
const Notebook = lazy(() => import("./Notebook"))
const JsonTree = lazy(() => import("./JsonTree"))
const ModelCard = lazy(() => import("./ModelCard"))
const ParquetTable = lazy(() => import("./parquet/ParquetTable"))
const Tensors = lazy(() => import("./Tensors"))
const DataTable = lazy(() => import("../table/DataTable"))
const Scene = lazy(() => import("../scene/SceneView"))

/** Of a longer text, this much is shown. */
const textMax = 2_000_000
const sceneMax = 60_000_000
/** Known to be no text; `what` says how to read it. */
const bytes: Record<string, string> = {
    pt: "torch.load", pth: "torch.load", ckpt: "torch.load", onnx: "onnx.load", pkl: "pickle.load, of a source that you trust", npz: "numpy.load", npy: "numpy.load",
    h5: "h5py.File", keras: "keras.models.load_model", arrow: "pyarrow.ipc.open_file", feather: "pyarrow.feather.read_table", bin: "", zip: "", gz: "", tar: "", zst: "", pdf: "", tif: "", tiff: "",
}

export function Viewer({ run, artifact, artifacts, theme }: { run: Run; artifact: Artifact; artifacts: Artifact[]; theme: string }): JSX.Element {
    const ending = /\.(\w+)$/.exec(artifact.path)?.[1]?.toLowerCase() ?? ""
    const source = fileAddress(run.id, artifact.path)
    const kind = kindOfPath(artifact.path)
    if (artifact.uri && !artifact.sha256) return <p>It lies elsewhere: <code>{artifact.uri}</code>. The server opens no address that a client named.</p>
    if (kind === "image") return <img src={source} alt={artifact.path} />
    if (kind === "audio") return <audio controls src={source} aria-label={artifact.path} />
    if (kind === "video") return <video controls preload="metadata" src={source} aria-label={artifact.path} style={{ maxWidth: "100%" }} />
    if (ending === "html" || ending === "htm") return <HTMLFrame source={source} name={artifact.path} />
    if (ending === "parquet") return <ParquetTable source={source} size={artifact.size_bytes} name={artifact.path} />
    if (ending === "safetensors") return <Tensors source={source} name={artifact.path} />
    if (["obj", "stl", "ply", "glb"].includes(ending)) {
        return artifact.size_bytes > sceneMax ? <Empty title="Too large to turn">{formatBytes(artifact.size_bytes)}: download it.</Empty>
            : <Scene item={{ run: run.id, step: 0, kind: "object3d", value: {}, path: artifact.path, mime: "" }} alt={artifact.path} theme={theme} height={460} />
    }
    const how = bytes[ending]
    if (how !== undefined) return <Empty title="Bytes">This kind of file is not shown. {how ? <>In Python, <code>{how}</code> reads it.</> : "Its content is downloaded as it was logged."}</Empty>
    return <TextFile source={source} ending={ending} artifact={artifact} artifacts={artifacts} />
}

function TextFile({ source, ending, artifact, artifacts }: { source: string; ending: string; artifact: Artifact; artifacts: Artifact[] }): JSX.Element {
    const isCut = artifact.size_bytes > textMax
    const text = useResource(`text/${source}`, () => fetch(source, isCut ? { headers: { Range: `bytes=0-${textMax - 1}` } } : {}).then(async answer => {
        if (!answer.ok) throw new Error(`The file is not readable: the server answered ${answer.status}.`)
        const found = await answer.text()
        // The last line is likely to be a part of one.
        return isCut ? found.slice(0, found.lastIndexOf("\n") + 1 || undefined) : found
    }))
    const isSheet = ending === "csv" || ending === "tsv"
    const grid = useMemo(() => (isSheet && text.data !== undefined ? csvGrid(text.data, ending === "tsv" ? "\t" : ",") : null), [isSheet, text.data])
    if (text.error) return <Failure error={text.error} />
    if (text.data === undefined) return <Skeleton />
    if (text.data.includes("\u0000")) return <Empty title="Bytes">This file is no text. Its content is downloaded as it was logged.</Empty>
    const cut = isCut ? `The first ${formatBytes(textMax)} of ${formatBytes(artifact.size_bytes)}; the download has all.` : ""
    const name = artifact.path.split("/").pop() ?? ""
    return (
        <Suspense fallback={<Skeleton />}>
            {grid ? <DataTable name={artifact.path} grid={grid} foot={cut} /> : (
                <>
                    {cut && <p className="note muted">{cut}</p>}
                    {name === "MLmodel" ? <ModelCard text={text.data} path={artifact.path} artifacts={artifacts} />
                        : ending === "md" || ending === "markdown" ? <Markdown text={text.data} />
                        : ending === "ipynb" && !isCut ? <Notebook text={text.data} />
                        : (ending === "json" || ending === "geojson") && !isCut ? <JsonTree text={text.data} />
                        : <pre>{text.data}</pre>}
                </>
            )}
        </Suspense>
    )
}
