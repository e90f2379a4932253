// The treemap itself: a box for each part, split by kinds. One stop of the Tab key; arrows move between boxes.
import { type KeyboardEvent, useMemo, useRef, useState } from "react"
import { navigate } from "../../app/router"
import { Link } from "../../app/router"
import { squarified } from "../../charts/treemap"
import { useWidth } from "../../charts/width"
import { formatBytes, plural } from "../../ui/format"
import { type StorageNode, colourOf, kindNames, nameOf, placeOf } from "./Storage"

const height = 420
const headHeight = 20

export function Treemap({ nodes, rest, theme }: { nodes: StorageNode[]; rest: { count: number; bytes: number }; theme: string }): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const width = useWidth(box)
    const [at, setAt] = useState(0)
    const shown = useMemo(() => [...nodes.filter(node => node.bytes > 0), ...(rest.bytes > 0 ? [{ kind: "kind", id: null, name: plural(rest.count, "smaller part"), bytes: rest.bytes, run_count: 0, kinds: {} } as StorageNode] : [])].sort((a, b) => b.bytes - a.bytes), [nodes, rest])
    const boxes = useMemo(() => squarified(shown.map(node => node.bytes), { x: 0, y: 0, width, height }), [shown, width])
    const current = Math.min(at, shown.length - 1)
    const onKey = (event: KeyboardEvent): void => {
        const from = boxes[current]
        if (!from || !event.key.startsWith("Arrow") && event.key !== "Home" && event.key !== "End") return
        event.preventDefault()
        const next = event.key === "Home" ? 0 : event.key === "End" ? shown.length - 1 : neighbour(boxes, current, event.key)
        setAt(next)
        box.current?.querySelectorAll<HTMLElement>("[data-box]")[next]?.focus()
    }
    return (
        <div className="treemap" ref={box} style={{ height }} role="group" aria-label={`Treemap of ${plural(shown.length, "part")}. Arrow keys move between them, Enter goes into one. The table below shows the same.`} onKeyDown={onKey}>
            {shown.map((node, index) => {
                const place = boxes[index]!
                const to = placeOf(node)
                const label = `${nameOf(node)}, ${formatBytes(node.bytes)}${node.run_count > 1 ? `, ${plural(node.run_count, "run")}` : ""}`
                const common = {
                    key: `${node.kind} ${node.id ?? node.name}`, className: `treemap-box${to ? " deeper" : ""}`, "data-box": true, title: label,
                    style: { left: place.x, top: place.y, width: Math.max(0, place.width - 2), height: Math.max(0, place.height - 2) },
                    tabIndex: index === current ? 0 : -1, onFocus: () => setAt(index), "aria-label": label,
                }
                const content = <Kinds node={node} width={place.width - 2} height={place.height - 2} theme={theme} />
                return to ? <Link {...common} to={to} onClick={event => { if (!event.ctrlKey && !event.metaKey && !event.shiftKey) { event.preventDefault(); setAt(0); navigate(to) } }}>{content}</Link> : <div {...common} role="img">{content}</div>
            })}
        </div>
    )
}

/** The nearest box in a direction, by the middles. */
function neighbour(boxes: { x: number; y: number; width: number; height: number }[], from: number, key: string): number {
    const middle = (box: (typeof boxes)[number]): [number, number] => [box.x + box.width / 2, box.y + box.height / 2]
    const [x, y] = middle(boxes[from]!)
    const [dx, dy] = key === "ArrowLeft" ? [-1, 0] : key === "ArrowRight" ? [1, 0] : key === "ArrowUp" ? [0, -1] : [0, 1]
    let [best, least] = [from, Infinity]
    boxes.forEach((box, index) => {
        const [bx, by] = middle(box)
        const along = (bx - x) * dx + (by - y) * dy
        const aside = Math.abs((bx - x) * dy) + Math.abs((by - y) * dx)
        const far = along + 2 * aside
        if (index !== from && along > 0.5 && far < least) [best, least] = [index, far]
    })
    return best
}

function Kinds({ node, width, height, theme }: { node: StorageNode; width: number; height: number; theme: string }): JSX.Element {
    const hasHead = width > 46 && height > 30
    const top = hasHead ? headHeight : 0
    const kinds = node.kind === "kind" && node.name in kindNames ? [[node.name, node.bytes] as const] : Object.entries(node.kinds).filter(entry => entry[1] > 0).sort((a, b) => b[1] - a[1])
    const parts = squarified(kinds.map(kind => kind[1]), { x: 0, y: top, width, height: Math.max(0, height - top) })
    return (
        <>
            {hasHead && <span className="treemap-name"><span className="cut">{nameOf(node)}</span>{width > 130 && <span className="muted num">{formatBytes(node.bytes)}</span>}</span>}
            {kinds.map(([kind], index) => { const one = parts[index]!; return <i key={kind} aria-hidden="true" style={{ left: one.x, top: one.y, width: Math.max(0, one.width - 1), height: Math.max(0, one.height - 1), background: colourOf(kind, theme) }} /> })}
        </>
    )
}
