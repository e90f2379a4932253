// Which experiments are picked: kept while one searches, gone with the page.
import { type RefObject, useEffect, useRef, useState } from "react"
import type { Experiment } from "../../api/types"

export interface Picking {
    picked: ReadonlySet<string>
    pick: (id: string, toHere: boolean) => void
    clear: () => void
    /** Goes to the name of the comparison, where Enter makes it. */
    toName: () => void
    nameField: RefObject<HTMLInputElement>
}

export function usePicking(inSight: Experiment[]): Picking {
    const [picked, setPicked] = useState<ReadonlySet<string>>(new Set())
    const last = useRef<string | null>(null)
    const nameField = useRef<HTMLInputElement>(null)
    const clear = (): void => setPicked(new Set())
    const isPicking = picked.size > 0
    useEffect(() => {
        if (!isPicking) return undefined
        const onKey = (event: KeyboardEvent): void => {
            // What lies above the page closes first, and a search is emptied.
            if (event.key !== "Escape" || document.querySelector(".sheet, .menu")) return
            if (event.target instanceof HTMLInputElement && event.target.value !== "" && event.target.type !== "checkbox") return
            clear()
        }
        document.addEventListener("keydown", onKey, true)
        return () => document.removeEventListener("keydown", onKey, true)
    }, [isPicking])
    const pick = (id: string, toHere: boolean): void => {
        const next = new Set(picked)
        const [from, to] = [inSight.findIndex(one => one.id === last.current), inSight.findIndex(one => one.id === id)]
        if (toHere && from >= 0 && to >= 0) for (const one of inSight.slice(Math.min(from, to), Math.max(from, to) + 1)) next.add(one.id)
        else if (!next.delete(id)) next.add(id)
        last.current = id
        setPicked(next)
    }
    return { picked, pick, clear, toName: () => nameField.current?.focus(), nameField }
}
