// Sound, film, words and pages.
import { Suspense, lazy, useRef, useState } from "react"
import { formatNumber } from "../../ui/format"
import { Skeleton } from "../../ui/parts"
import { useInSight } from "../../ui/sight"
import { type Item, fileAddress } from "./sources"

const Markdown = lazy(() => import("../../ui/Markdown"))

export function textOf(address: string): Promise<string> {
    return fetch(address).then(answer => {
        if (!answer.ok) throw new Error(`The file is not readable: the server answered ${answer.status}.`)
        return answer.text()
    })
}

export function Playable({ item, alt }: { item: Item; alt: string }): JSX.Element {
    if (!item.path) return <p className="muted">No file was kept.</p>
    const source = fileAddress(item.run, item.path)
    const { fps, sample_rate: rate } = item.value
    const about = typeof fps === "number" ? `${formatNumber(fps)} frames a second` : typeof rate === "number" ? `${formatNumber(rate)} Hz` : ""
    return (
        <div className="playable">
            {item.kind === "video" && !/gif/.test(item.mime) ? <video controls preload="metadata" src={source} aria-label={alt} />
                : item.kind === "video" ? <img loading="lazy" src={source} alt={alt} />
                : <audio controls preload="none" src={source} aria-label={alt} />}
            <span className="muted">{about && `${about} · `}<a className="text" href={`${source}?download=true`} download>Download</a></span>
        </div>
    )
}

/** The server says that the page has no origin: so its scripts run, and none reaches the app, its cookies or the network. */
export function HTMLFrame({ source, name }: { source: string; name: string }): JSX.Element {
    return <iframe title={name} sandbox="allow-scripts" src={`${source}?frame=true`} />
}

export function Page({ item, alt }: { item: Item; alt: string }): JSX.Element {
    const box = useRef<HTMLDivElement>(null)
    const isNear = useInSight(box)
    return <div ref={box} className="page-frame">{item.path && isNear ? <HTMLFrame source={fileAddress(item.run, item.path)} name={alt} /> : <Skeleton rows={3} />}</div>
}

const marks = /^#{1,4} |\*\*|`|^\s*[-*] |^\s*\d+\. |\|\s*-{3}|\]\(/m

export function Words({ item }: { item: Item }): JSX.Element {
    const [isSource, setSource] = useState(false)
    const { text } = item.value
    const words = typeof text === "string" ? text : JSON.stringify(item.value["value"] ?? item.value, null, 2)
    if (!marks.test(words)) return <pre className="words">{words}</pre>
    return (
        <div className="words">
            <button className="button quiet" aria-pressed={isSource} onClick={() => setSource(!isSource)}>Source</button>
            {isSource ? <pre>{words}</pre> : <Suspense fallback={<pre>{words}</pre>}><Markdown text={words} /></Suspense>}
        </div>
    )
}
