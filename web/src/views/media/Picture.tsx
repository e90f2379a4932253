// A picture with what lies on it: masks on a canvas of the mask's own pixels, boxes as frames above, so both stay sharp.
import { type ReactNode, useEffect, useMemo, useRef, useState } from "react"
import { useTheme } from "../../app/theme"
import { strokeOf } from "../../charts/palette"
import { type Item, fileAddress } from "./sources"
import { type Mask, type Overlays, classKey, overlaysOf, wholeMask, wordsOf } from "./overlays"

export interface Look {
    hidden: Set<string>
    scoreMin: number
}

interface Classes { width: number; height: number; numbers: Uint8Array }
const maskCache = new Map<string, Promise<Classes>>()
const masksMax = 200

/** The class of each pixel. Masks are grey pictures of numbers, so one channel says it. */
export function classesOfMask(address: string): Promise<Classes> {
    const known = maskCache.get(address)
    if (known) return known
    if (maskCache.size >= masksMax) maskCache.delete(maskCache.keys().next().value as string)
    const found = pixelsOf(address).then(image => {
        const numbers = new Uint8Array(image.width * image.height)
        for (let index = 0; index < numbers.length; index += 1) numbers[index] = image.data[index * 4]!
        return { width: image.width, height: image.height, numbers }
    })
    maskCache.set(address, found)
    found.catch(() => maskCache.delete(address))
    return found
}

export async function pixelsOf(address: string): Promise<ImageData> {
    const image = new Image()
    image.src = address
    await image.decode()
    const canvas = document.createElement("canvas")
    canvas.width = image.naturalWidth
    canvas.height = image.naturalHeight
    const context = canvas.getContext("2d", { willReadFrequently: true })!
    context.drawImage(image, 0, 0)
    return context.getImageData(0, 0, canvas.width, canvas.height)
}

export function sizeOf(item: Item): { width: number; height: number } | null {
    const { width, height } = item.value
    return typeof width === "number" && typeof height === "number" ? { width, height } : null
}

export function Picture({ item, alt, look, isEager, children }: { item: Item; alt: string; look: Look; isEager?: boolean; children?: ReactNode }): JSX.Element {
    const theme = useTheme()
    const [size, setSize] = useState(() => sizeOf(item))
    const overlays = useMemo(() => overlaysOf(item.value, size), [item, size])
    const words = wordsOf(overlays)
    return (
        <span className="picture">
            <img loading={isEager ? "eager" : "lazy"} decoding="async" src={fileAddress(item.run, item.path!)} alt={words ? `${alt}: ${words}` : alt}
                style={size ? { aspectRatio: `${size.width} / ${size.height}` } : undefined}
                onLoad={event => { if (!size) setSize({ width: event.currentTarget.naturalWidth, height: event.currentTarget.naturalHeight }) }} />
            {overlays.masks.map(mask => <MaskLayer key={mask.group} mask={mask} address={fileAddress(item.run, mask.path)} look={look} theme={theme} />)}
            {overlays.boxes.length > 0 && <Boxes overlays={overlays} look={look} theme={theme} />}
            {children}
        </span>
    )
}

function MaskLayer({ mask, address, look, theme }: { mask: Mask; address: string; look: Look; theme: string }): JSX.Element | null {
    const canvas = useRef<HTMLCanvasElement>(null)
    const isOff = mask.classes.size === 0 ? look.hidden.has(classKey(mask.group, wholeMask)) : Array.from(mask.classes.keys()).every(one => look.hidden.has(classKey(mask.group, one)))
    useEffect(() => {
        if (isOff) return undefined
        let isOver = false
        const shown = canvas.current
        classesOfMask(address).then(found => {
            if (isOver || !shown) return
            shown.width = found.width
            shown.height = found.height
            const context = shown.getContext("2d")!
            const image = context.createImageData(found.width, found.height)
            const colours = new Map<number, number[] | null>()
            const colourOf = (number: number): number[] | null => {
                if (mask.classes.size > 0 && !mask.classes.has(number) || look.hidden.has(classKey(mask.group, number))) return null
                const hex = strokeOf(number, theme).colour
                return [1, 3, 5].map(at => parseInt(hex.slice(at, at + 2), 16))
            }
            for (let index = 0; index < found.numbers.length; index += 1) {
                const number = found.numbers[index]!
                let colour = colours.get(number)
                if (colour === undefined) colours.set(number, colour = colourOf(number))
                if (colour) image.data.set([colour[0]!, colour[1]!, colour[2]!, 120], index * 4)
            }
            context.putImageData(image, 0, 0)
        }, () => undefined)
        return () => { isOver = true }
    }, [address, look, theme, isOff])
    return isOff ? null : <canvas ref={canvas} className="layer" aria-hidden="true" />
}

function Boxes({ overlays, look, theme }: { overlays: Overlays; look: Look; theme: string }): JSX.Element {
    const shown = overlays.boxes.filter(box => !look.hidden.has(classKey(box.group, box.classID)) && (box.score === null || box.score >= look.scoreMin))
    const percent = (share: number): string => `${Math.round(share * 1e4) / 100}%`
    return (
        <span className="layer" aria-hidden="true">
            {shown.map((box, index) => (
                <span key={index} className="box" title={`${box.group}: ${box.caption || box.label}${box.score === null ? "" : ` (${box.score})`}`}
                    style={{ left: percent(box.left), top: percent(box.top), width: percent(box.width), height: percent(box.height), borderColor: strokeOf(box.classID, theme).colour }}>
                    <span style={{ background: theme === "dark" ? strokeOf(box.classID, theme).colour : `color-mix(in srgb, ${strokeOf(box.classID, theme).colour} 82%, #000)`, color: theme === "dark" ? "#0f1013" : "#fff" }}>{box.caption || box.label}</span>
                </span>
            ))}
        </span>
    )
}
