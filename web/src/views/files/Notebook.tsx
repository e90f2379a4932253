// A notebook: its words, its code, and what that printed. Pages among the outputs stand in frames of their own.
import "../../core"
import { Suspense, lazy, useMemo } from "react"

const Markdown = lazy(() => import("../../ui/Markdown"))

type Text = string | string[] | undefined
interface Output { output_type?: string; name?: string; text?: Text; data?: Record<string, Text>; ename?: string; evalue?: string; traceback?: string[] }
interface Cell { cell_type: string; source: Text; execution_count?: number | null; outputs?: Output[] }

const join = (value: Text): string => (Array.isArray(value) ? value.join("") : value ?? "")
/** Colours of a terminal say nothing here. */
const bare = (text: string): string => text.replace(/\u001b\[[0-9;]*[A-Za-z]/g, "")

export default function Notebook({ text }: { text: string }): JSX.Element {
    const cells = useMemo(() => {
        try {
            const found = (JSON.parse(text) as { cells?: Cell[] }).cells
            return Array.isArray(found) ? found : null
        } catch {
            return null
        }
    }, [text])
    if (!cells) return <><p className="note muted">This notebook is not readable as one; here is its text.</p><pre>{text}</pre></>
    return (
        <div className="notebook">
            {cells.map((cell, index) => cell.cell_type === "markdown"
                ? <Suspense key={index} fallback={null}><Markdown text={join(cell.source)} /></Suspense>
                : (
                    <div key={index} role="group" aria-label={`Code ${cell.execution_count ?? ""}`.trim()}>
                        <pre className="code" data-count={cell.execution_count ?? " "}>{join(cell.source)}</pre>
                        {(cell.outputs ?? []).map((output, place) => <Shown key={place} output={output} />)}
                    </div>
                ))}
        </div>
    )
}

function Shown({ output }: { output: Output }): JSX.Element | null {
    const data = output.data ?? {}
    const words = join(output.text ?? data["text/plain"])
    for (const kind of ["image/png", "image/jpeg", "image/gif"]) {
        const picture = data[kind]
        if (picture) return <img alt={words && !words.startsWith("<") ? words : "Output of the cell"} src={`data:${kind};base64,${join(picture).replace(/\s/g, "")}`} />
    }
    const svg = join(data["image/svg+xml"])
    // As a picture: so nothing in it runs.
    if (svg) return <img alt="Output of the cell" src={`data:image/svg+xml,${encodeURIComponent(svg)}`} />
    if (output.output_type === "error") return <pre className="error">{bare(output.traceback?.join("\n") || `${output.ename}: ${output.evalue}`)}</pre>
    const page = join(data["text/html"])
    if (page) return <iframe title={words || "Output of the cell"} sandbox="" srcDoc={page} />
    return words ? <pre className={output.name === "stderr" ? "error" : "printed"}>{bare(words)}</pre> : null
}
