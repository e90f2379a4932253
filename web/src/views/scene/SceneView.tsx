// A shape that can be turned: by dragging, by the arrow keys, and nearer with + and the wheel. Drawn on a plain canvas, since
// machines without a GPU draw WebGL more slowly than this.
import "../../core"
import { type KeyboardEvent, useEffect, useLayoutEffect, useMemo, useRef, useState } from "react"
import { useResource } from "../../api/resource"
import { inkOf } from "../../charts/ink"
import { strokeOf } from "../../charts/palette"
import { useWidth } from "../../charts/width"
import { plural } from "../../ui/format"
import { Empty, Skeleton } from "../../ui/parts"
import { useInSight } from "../../ui/sight"
import { type Item, fileAddress } from "../media/sources"
import { type Shape, shapeOf } from "./shapes"

const start = { yaw: 0.6, pitch: 0.45, scale: 1 }
/** Beyond it, surfaces are drawn as their points while they are turned. */
const trianglesMax = 40_000
const pointsMax = 200_000

export default function SceneView({ item, alt, theme, height = 260 }: { item: Item; alt: string; theme: string; height?: number }): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const isNear = useInSight(box)
    const ending = /\.(\w+)$/.exec(item.path ?? "")?.[1]?.toLowerCase() ?? ""
    const source = item.path ? fileAddress(item.run, item.path) : ""
    const found = useResource(isNear && source ? `scene/${source}` : null, async () => {
        const answer = await fetch(source)
        if (!answer.ok) throw new Error(`The file is not readable: the server answered ${answer.status}.`)
        return shapeOf(ending, await answer.arrayBuffer())
    })
    if (found.error) return <Empty title="This shape cannot be shown">{found.error.message.replace(/^\w*Error: /, "")} <a className="text" href={`${source}?download=true`} download>Download it</a></Empty>
    return <div ref={box} style={{ minHeight: height }}>{found.data ? <Turned shape={found.data} alt={alt} theme={theme} height={height} /> : <Skeleton rows={4} />}</div>
}

function Turned({ shape, alt, theme, height }: { shape: Shape; alt: string; theme: string; height: number }): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const canvas = useRef<HTMLCanvasElement>(null)
    const width = useWidth(box)
    const [view, setView] = useState(start)
    const [isWire, setWire] = useState(false)
    const bounds = useMemo(() => boundsOf(shape.points), [shape])
    const turn = (yaw: number, pitch: number): void => setView(old => ({ ...old, yaw: old.yaw + yaw, pitch: Math.max(-1.57, Math.min(1.57, old.pitch + pitch)) }))
    const zoom = (by: number): void => setView(old => ({ ...old, scale: Math.max(0.3, Math.min(30, old.scale * by)) }))
    useEffect(() => {
        const element = canvas.current
        if (!element) return undefined
        const wheel = (event: WheelEvent): void => {
            if (document.activeElement !== box.current) return
            event.preventDefault()
            zoom(Math.exp(-event.deltaY / 300))
        }
        element.addEventListener("wheel", wheel, { passive: false })
        return () => element.removeEventListener("wheel", wheel)
    }, [])
    useLayoutEffect(() => {
        const context = canvas.current?.getContext("2d")
        if (!context || !canvas.current || !box.current || width < 40) return
        const ratio = window.devicePixelRatio || 1
        canvas.current.width = width * ratio
        canvas.current.height = height * ratio
        context.setTransform(ratio, 0, 0, ratio, 0, 0)
        context.clearRect(0, 0, width, height)
        draw(context, shape, bounds, view, { width, height, theme, isWire, line: inkOf(box.current).axis })
    }, [shape, bounds, view, isWire, width, height, theme])
    const press = (event: KeyboardEvent): void => {
        if (event.key === "ArrowLeft") turn(-0.15, 0)
        else if (event.key === "ArrowRight") turn(0.15, 0)
        else if (event.key === "ArrowUp") turn(0, -0.15)
        else if (event.key === "ArrowDown") turn(0, 0.15)
        else if (event.key === "+" || event.key === "=") zoom(1.25)
        else if (event.key === "-") zoom(0.8)
        else if (event.key === "0") setView(start)
        else return
        event.preventDefault()
        event.stopPropagation()
    }
    const words = `${plural(shape.points.length / 3, "point")}${shape.triangles ? `, ${plural(shape.triangles.length / 3, "triangle")}` : ""}`
    return (
        <div className="scene">
            <div ref={box} className="chart" style={{ height }} role="img" tabIndex={0} aria-label={`${alt}: ${words}. Arrow keys turn it, plus and minus change its size.`} onKeyDown={press}
                onPointerDown={event => { event.currentTarget.setPointerCapture(event.pointerId); event.currentTarget.focus() }}
                onPointerMove={event => { if (event.currentTarget.hasPointerCapture(event.pointerId)) turn(event.movementX / 120, event.movementY / 120) }}>
                <canvas ref={canvas} style={{ width, height }} />
            </div>
            <div className="scene-tools"><span className="muted num grow cut">{words}</span>
                {shape.triangles && <button className="button quiet" aria-pressed={isWire} onClick={() => setWire(!isWire)}>Lines</button>}
                <button className="button quiet" onClick={() => setView(start)}>Reset</button></div>
        </div>
    )
}

interface Bounds { middle: [number, number, number]; reach: number }

function boundsOf(points: Float32Array): Bounds {
    const low = [Infinity, Infinity, Infinity]
    const high = [-Infinity, -Infinity, -Infinity]
    points.forEach((value, index) => {
        if (!Number.isFinite(value)) return
        low[index % 3] = Math.min(low[index % 3]!, value)
        high[index % 3] = Math.max(high[index % 3]!, value)
    })
    return { middle: [0, 1, 2].map(axis => (low[axis]! + high[axis]!) / 2) as [number, number, number], reach: Math.hypot(...[0, 1, 2].map(axis => high[axis]! - low[axis]!)) / 2 || 1 }
}

interface Place { width: number; height: number; theme: string; isWire: boolean; line: string }

function draw(context: CanvasRenderingContext2D, { points, colours, triangles }: Shape, { middle, reach }: Bounds, view: typeof start, place: Place): void {
    const [cosYaw, sinYaw, cosPitch, sinPitch] = [Math.cos(view.yaw), Math.sin(view.yaw), Math.cos(view.pitch), Math.sin(view.pitch)]
    const count = points.length / 3
    const scale = (Math.min(place.width, place.height) * 0.45 * view.scale) / reach
    const seen = new Float32Array(points.length)
    const turned = new Float32Array(points.length)
    for (let index = 0; index < count; index += 1) {
        const [x, y, z] = [points[index * 3]! - middle[0], points[index * 3 + 1]! - middle[1], points[index * 3 + 2]! - middle[2]]
        const [turnedX, depth] = [x * cosYaw + z * sinYaw, z * cosYaw - x * sinYaw]
        const near = y * sinPitch + depth * cosPitch
        const up = y * cosPitch - depth * sinPitch
        turned.set([turnedX, up, near], index * 3)
        // What is nearer is a little larger.
        const size = scale * (1 + (near / reach) * 0.18)
        seen[index * 3] = place.width / 2 + turnedX * size
        seen[index * 3 + 1] = place.height / 2 - up * size
        seen[index * 3 + 2] = near
    }
    const base = [1, 3, 5].map(at => parseInt(strokeOf(0, place.theme).colour.slice(at, at + 2), 16))
    if (!triangles || triangles.length / 3 > trianglesMax) {
        const every = Math.max(1, Math.ceil(count / pointsMax))
        const dot = count > 20_000 ? 1 : count > 2000 ? 2 : 3
        const order = Array.from({ length: Math.ceil(count / every) }, (_, index) => index * every).sort((a, b) => seen[a * 3 + 2]! - seen[b * 3 + 2]!)
        for (const index of order) {
            const light = 0.55 + 0.45 * ((seen[index * 3 + 2]! / reach + 1) / 2)
            const colour = colours ? [colours[index * 3]!, colours[index * 3 + 1]!, colours[index * 3 + 2]!] : base
            context.fillStyle = `rgb(${colour.map(one => Math.round(one * light)).join(",")})`
            context.fillRect(seen[index * 3]! - dot / 2, seen[index * 3 + 1]! - dot / 2, dot, dot)
        }
        return
    }
    const faces = triangles.length / 3
    const depths = new Float32Array(faces)
    for (let face = 0; face < faces; face += 1) depths[face] = seen[triangles[face * 3]! * 3 + 2]! + seen[triangles[face * 3 + 1]! * 3 + 2]! + seen[triangles[face * 3 + 2]! * 3 + 2]!
    const order = Uint32Array.from({ length: faces }, (_, face) => face).sort((a, b) => depths[a]! - depths[b]!)
    context.lineJoin = "round"
    context.lineWidth = 0.7
    for (const face of order) {
        const [a, b, c] = [triangles[face * 3]! * 3, triangles[face * 3 + 1]! * 3, triangles[face * 3 + 2]! * 3]
        context.beginPath()
        context.moveTo(seen[a]!, seen[a + 1]!)
        context.lineTo(seen[b]!, seen[b + 1]!)
        context.lineTo(seen[c]!, seen[c + 1]!)
        context.closePath()
        if (place.isWire) { context.strokeStyle = place.line; context.stroke(); continue }
        // Light falls from above and where one looks from.
        const side = (to: number): [number, number, number] => [turned[to]! - turned[a]!, turned[to + 1]! - turned[a + 1]!, turned[to + 2]! - turned[a + 2]!]
        const [[ux, uy, uz], [vx, vy, vz]] = [side(b), side(c)]
        const [nx, ny, nz] = [uy * vz - uz * vy, uz * vx - ux * vz, ux * vy - uy * vx]
        const light = 0.35 + 0.65 * (Math.abs(nz * 0.85 + ny * 0.4 + nx * 0.2) / (Math.hypot(nx, ny, nz) || 1))
        const fill = `rgb(${base.map(one => Math.round(Math.min(255, one * light))).join(",")})`
        context.fillStyle = fill
        context.strokeStyle = fill
        context.fill()
        context.stroke()
    }
}
