// What a run printed: a live tail that can be searched.
import { useEffect, useMemo, useRef, useState } from "react"
import { get } from "../api/client"
import type { Run } from "../api/types"
import { formatCount } from "../ui/format"
import { Empty, Icon, Skeleton, copy } from "../ui/parts"

export interface Printed {
    dropped_bytes: number
    chunks: { stream: string; number: number; timestamp: string; text: string }[]
}

const shownLines = 5000

export function ConsoleView({ run, isOver }: { run: Run; isOver: boolean }): JSX.Element {
    const [chunks, setChunks] = useState<Printed["chunks"]>([])
    const [search, setSearch] = useState("")
    const [follows, setFollows] = useState(true)
    const [dropped, setDropped] = useState(0)
    const [state, setState] = useState<"loading" | "ready">("loading")
    const box = useRef<HTMLDivElement>(null)
    useEffect(() => {
        let isGone = false
        let after = 0
        let timer = 0
        const look = async (): Promise<void> => {
            try {
                const answer = await get<Printed>(`runs/${run.id}/console?after=${after}&limit=1000`)
                if (isGone) return
                setDropped(answer.dropped_bytes)
                setState("ready")
                if (answer.chunks.length) {
                    after = answer.chunks[answer.chunks.length - 1]!.number
                    setChunks(old => [...old, ...answer.chunks])
                }
                if (answer.chunks.length === 1000) return look()
            } catch {
                // The next look may succeed; the bar above says when the server is away.
            }
            if (!isOver && !isGone) timer = window.setTimeout(() => void look(), document.hidden ? 5000 : 1000)
        }
        setChunks([])
        void look()
        return () => {
            isGone = true
            window.clearTimeout(timer)
        }
    }, [run.id, isOver])
    const lines = useMemo(() => {
        const made: { stream: string; text: string }[] = []
        for (const chunk of chunks) {
            const pieces = chunk.text.split("\n")
            if (pieces[pieces.length - 1] === "") pieces.pop()
            // A bar that redraws itself is shown as it stood last.
            for (const piece of pieces) made.push({ stream: chunk.stream, text: piece.slice(piece.lastIndexOf("\r", piece.length - 2) + 1).replace(/\u001b\[[0-9;]*[A-Za-z]/g, "") })
        }
        return made
    }, [chunks])
    const fitting = useMemo(() => (search ? lines.filter(line => line.text.toLowerCase().includes(search.toLowerCase())) : lines), [lines, search])
    useEffect(() => {
        if (follows && box.current) box.current.scrollTop = box.current.scrollHeight
    }, [fitting, follows])
    if (state === "loading") return <Skeleton rows={12} />
    if (chunks.length === 0) return <Empty title="Nothing was printed">Console output appears here line by line when the run’s writer sends it.</Empty>
    return (
        <>
            <div className="tools">
                <label className="field" style={{ width: 260 }}><Icon name="search" /><span className="hidden">Search output</span><input type="search" data-keys="/" placeholder="Search output" value={search} onChange={event => setSearch(event.target.value)} /></label>
                <span className="muted num">{formatCount(fitting.length)} {search ? `of ${formatCount(lines.length)} ` : ""}lines</span><span className="grow" />
                <label className="label"><input type="checkbox" checked={follows} onChange={event => setFollows(event.target.checked)} /> stay at the end</label>
                <button className="button" onClick={() => copy(fitting.map(line => line.text).join("\n"), "Output")}>Copy</button>
            </div>
            {dropped > 0 && <p className="muted">{formatCount(dropped)} bytes beyond the limit were not kept.</p>}
            <div className="console" ref={box} tabIndex={0} aria-label="What the run printed" onWheel={event => event.deltaY < 0 && setFollows(false)}>
                {fitting.length > shownLines && <div className="muted">… {formatCount(fitting.length - shownLines)} earlier lines; search to see them</div>}
                {fitting.slice(-shownLines).map((line, index) => <div key={index} className={line.stream}>{line.text || "\u00a0"}</div>)}
            </div>
        </>
    )
}
