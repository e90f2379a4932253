// Thousands of pictures as a wall: only the rows in sight are in the page, so only their files are asked for.
import { type UIEvent, useMemo, useRef, useState } from "react"
import { useWidth } from "../../charts/width"
import { plural } from "../../ui/format"
import { Lightbox } from "./Lightbox"
import type { Look } from "./Picture"
import { type Item, fileAddress } from "./sources"

const gap = 8
const captionHeight = 22
const heightMax = 640
const plain: Look = { hidden: new Set(), scoreMin: 0 }

interface Props {
    items: Item[]
    size: number
    title: string
    /** In full, for those who do not see it. */
    name: (item: Item) => string
    /** Below the picture. */
    label: (item: Item) => string
    look?: Look
}

export function Gallery({ items, size, title, name, label, look = plain }: Props): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const width = useWidth(box)
    const [top, setTop] = useState(0)
    const [open, setOpen] = useState<number | null>(null)
    const columns = Math.max(1, Math.floor((width + gap) / (size + gap)))
    const cell = Math.floor((width - gap * (columns - 1)) / columns)
    const row = cell + captionHeight + gap
    const rows = Math.ceil(items.length / columns)
    const height = Math.min(heightMax, rows * row)
    const [first, end] = [Math.max(0, Math.floor(top / row)), Math.min(rows, Math.ceil((top + height) / row))]
    const seen = useMemo(() => (width > 0 ? items.slice(first * columns, end * columns) : []), [items, first, end, columns, width])
    return (
        <>
            <div className="gallery" ref={box} style={{ height: width > 0 ? height : 200 }} tabIndex={0} role="region" aria-label={`${plural(items.length, "picture")} of ${title}`}
                onScroll={(event: UIEvent<HTMLDivElement>) => setTop(event.currentTarget.scrollTop)}>
                <div style={{ height: rows * row - gap, position: "relative" }}>
                    {seen.map((item, index) => {
                        const at = first * columns + index
                        return (
                            <button key={at} className="shot" aria-label={`Enlarge ${name(item)}`} onClick={() => setOpen(at)}
                                style={{ left: (at % columns) * (cell + gap), top: Math.floor(at / columns) * row, width: cell, height: row - gap }}>
                                <img src={fileAddress(item.run, item.path!)} alt="" decoding="async" style={{ height: cell }} />
                                <span className="cut">{label(item)}</span>
                            </button>
                        )
                    })}
                </div>
            </div>
            {open !== null && <Lightbox items={items} at={open} title={name} look={look} onAt={setOpen} onStep={by => setOpen((open + by + items.length) % items.length)} onClose={() => setOpen(null)} />}
        </>
    )
}
