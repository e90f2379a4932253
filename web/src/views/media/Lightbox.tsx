// One picture as large as the window, down to its pixels. The keys: left and right for steps, up and down for runs, + and −
// for size, 0 to fit, Shift with an arrow to move what is seen.
import { type KeyboardEvent, type PointerEvent, useEffect, useLayoutEffect, useRef, useState } from "react"
import { Icon } from "../../ui/parts"
import { type Look, Picture, classesOfMask, pixelsOf } from "./Picture"
import { overlaysOf } from "./overlays"
import { type Item, fileAddress } from "./sources"

interface View { scale: number; x: number; y: number }
const fitted: View = { scale: 1, x: 0, y: 0 }
const scaleMax = 64

interface Props {
    items: Item[]
    at: number
    title: (item: Item) => string
    look: Look
    onAt: (at: number) => void
    /** Another step, where there are several. */
    onStep: ((by: number) => void) | null
    onClose: () => void
}

export function Lightbox({ items, at, title: titleOf, look, onAt, onStep, onClose }: Props): JSX.Element | null {
    const dialog = useRef<HTMLDialogElement>(null)
    const stage = useRef<HTMLDivElement>(null)
    const [view, setView] = useState(fitted)
    const [readout, setReadout] = useState("")
    const [aspect, setAspect] = useState(1)
    const pixels = useRef<{ address: string; image: ImageData } | null>(null)
    const item = items[Math.min(at, items.length - 1)]
    const address = item ? fileAddress(item.run, item.path!) : ""
    useLayoutEffect(() => {
        // Here and not by an attribute: only so does the rest of the page become inert.
        if (dialog.current && !dialog.current.open) dialog.current.showModal()
    }, [])
    useEffect(() => {
        let isOver = false
        setReadout("")
        if (address) pixelsOf(address).then(image => {
            if (isOver) return
            pixels.current = { address, image }
            setAspect(image.width / image.height)
        }, () => undefined)
        return () => { isOver = true }
    }, [address])
    // By hand, since React's wheel handlers may not keep the page from scrolling.
    useEffect(() => {
        const element = stage.current
        if (!element) return undefined
        const wheel = (event: WheelEvent): void => {
            event.preventDefault()
            const bounds = element.getBoundingClientRect()
            zoom(Math.exp(-event.deltaY / 300), event.clientX - bounds.left - bounds.width / 2, event.clientY - bounds.top - bounds.height / 2)
        }
        element.addEventListener("wheel", wheel, { passive: false })
        return () => element.removeEventListener("wheel", wheel)
    }, [])
    /** What lies at (x, y) from the middle stays there. */
    const zoom = (by: number, x = 0, y = 0): void => setView(old => {
        const scale = Math.max(1, Math.min(scaleMax, old.scale * by))
        const share = scale / old.scale
        return scale === 1 ? fitted : { scale, x: x - (x - old.x) * share, y: y - (y - old.y) * share }
    })
    const move = (x: number, y: number): void => setView(old => (old.scale === 1 ? old : { ...old, x: old.x + x, y: old.y + y }))
    const press = (event: KeyboardEvent): void => {
        if (event.target instanceof HTMLInputElement || event.ctrlKey || event.metaKey || event.altKey) return
        const arrow = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
        if (arrow && event.shiftKey) move(-arrow[0]! * 60, -arrow[1]! * 60)
        else if (arrow && arrow[0]) onStep?.(arrow[0])
        else if (arrow) onAt((at + arrow[1]! + items.length) % items.length)
        else if (event.key === "+" || event.key === "=") zoom(1.5)
        else if (event.key === "-") zoom(1 / 1.5)
        else if (event.key === "0") setView(fitted)
        else return
        event.preventDefault()
        event.stopPropagation()
    }
    const follow = (event: PointerEvent): void => {
        if (event.currentTarget.hasPointerCapture(event.pointerId)) move(event.movementX, event.movementY)
        const image = stage.current?.querySelector("img")
        if (!image || !item || pixels.current?.address !== address) return
        const bounds = image.getBoundingClientRect()
        const { width, height, data } = pixels.current.image
        const [x, y] = [Math.floor(((event.clientX - bounds.left) / bounds.width) * width), Math.floor(((event.clientY - bounds.top) / bounds.height) * height)]
        if (x < 0 || y < 0 || x >= width || y >= height) return setReadout("")
        const colour = Array.from(data.slice((y * width + x) * 4, (y * width + x) * 4 + 4))
        const words = `x ${x}, y ${y}: ${(colour[3] === 255 ? colour.slice(0, 3) : colour).join(", ")}`
        setReadout(words)
        const { masks } = overlaysOf(item.value, { width, height })
        void Promise.all(masks.map(mask => classesOfMask(fileAddress(item.run, mask.path)).then(found => {
            const number = found.numbers[Math.floor((y / height) * found.height) * found.width + Math.floor((x / width) * found.width)]!
            return ` · ${mask.group}: ${mask.classes.get(number) ?? `class ${number}`}`
        }))).then(found => setReadout(old => (old === words ? words + found.join("") : old)), () => undefined)
    }
    if (!item) return null
    const title = titleOf(item)
    return (
        <dialog ref={dialog} className="lightbox" aria-label={title} onKeyDown={press} onClose={onClose} onCancel={onClose}>
            <header>
                <b className="cut">{title}</b>{typeof item.value["caption"] === "string" && <span className="cut muted">{item.value["caption"]}</span>}
                <span className="grow" /><output className="muted num">{readout}</output>
                {onStep && <><button className="button" onClick={() => onStep(-1)}>Earlier</button><button className="button" onClick={() => onStep(1)}>Later</button></>}
                {items.length > 1 && <button className="button" onClick={() => onAt((at + 1) % items.length)}>Next picture</button>}
                <button className="button" aria-label="Smaller" onClick={() => zoom(1 / 1.5)}>−</button>
                <output className="num" aria-label="Size">{Math.round(view.scale * 100)} %</output>
                <button className="button" aria-label="Larger" onClick={() => zoom(1.5)}>+</button>
                <button className="button" onClick={() => setView(fitted)}>Fit</button>
                <button className="button icon" aria-label="Close" onClick={onClose}><Icon name="close" /></button>
            </header>
            <div className="stage" ref={stage} onPointerDown={event => event.currentTarget.setPointerCapture(event.pointerId)} onPointerMove={follow} onPointerLeave={() => setReadout("")} onDoubleClick={() => setView(fitted)}>
                <div className="turned" style={{ transform: `translate(${view.x}px, ${view.y}px) scale(${view.scale})`, ["--scale" as string]: view.scale, ["--aspect" as string]: aspect }}>
                    <Picture key={address} item={item} alt={title} look={look} isEager />
                </div>
            </div>
        </dialog>
    )
}
