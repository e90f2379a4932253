// What a model's file of weights holds, without its weights: the names, types and shapes that safetensors begins with.
import "../../core"
import { useResource } from "../../api/resource"
import { formatCount, plural } from "../../ui/format"
import { Failure, Skeleton } from "../../ui/parts"
import DataTable from "../table/DataTable"
import type { Cell, Grid } from "../table/cells"

const headMax = 20_000_000

async function tensorsOf(source: string): Promise<{ grid: Grid; count: number; notes: [string, string][] }> {
    const bytes = async (from: number, to: number): Promise<ArrayBuffer> => {
        const answer = await fetch(source, { headers: { Range: `bytes=${from}-${to - 1}` } })
        if (!answer.ok) throw new Error(`The file is not readable: the server answered ${answer.status}.`)
        return answer.arrayBuffer()
    }
    const start = new DataView(await bytes(0, 8))
    const length = start.byteLength >= 8 ? Number(start.getBigUint64(0, true)) : 0
    if (length < 2 || length > headMax) throw new Error("This is no safetensors file, or its description is too large.")
    const head = JSON.parse(new TextDecoder().decode(await bytes(8, 8 + length))) as Record<string, { dtype?: string; shape?: number[] } & Record<string, unknown>>
    const entries = Object.entries(head).filter(([name]) => name !== "__metadata__")
    const sizeOf = (shape: number[] = []): number => shape.reduce((product, one) => product * one, 1)
    return {
        grid: { columns: ["tensor", "type", "shape", "values"], rows: entries.map(([name, about]): Cell[] => [name, about.dtype ?? "", (about.shape ?? []).join(" × ") || "one value", sizeOf(about.shape)]) },
        count: entries.reduce((sum, [, about]) => sum + sizeOf(about.shape), 0),
        notes: Object.entries((head["__metadata__"] ?? {}) as Record<string, unknown>).map(([key, value]) => [key, String(value)]),
    }
}

export default function Tensors({ source, name }: { source: string; name: string }): JSX.Element {
    const found = useResource(`tensors/${source}`, () => tensorsOf(source))
    if (found.error) return <Failure error={found.error} />
    if (!found.data) return <Skeleton />
    return (
        <>
            <p className="note"><b>{formatCount(found.data.count)} values</b> in {plural(found.data.grid.rows.length, "tensor")}{found.data.notes.map(([key, value]) => <span key={key} className="muted"> · {key} {value}</span>)}</p>
            <DataTable name={name} grid={found.data.grid} />
        </>
    )
}
