// Addresses: what is looked at and how lies in them, so that a link shows the same to somebody else.
import { type AnchorHTMLAttributes, type MouseEvent, useCallback, useEffect, useMemo, useSyncExternalStore } from "react"
import { root } from "../api/client"

const listeners = new Set<() => void>()
const tell = (): void => listeners.forEach(listener => listener())
window.addEventListener("popstate", () => {
    // The address has moved already: it goes back to where one stays.
    if (location.pathname !== placeOf(settled) && !mayLeave()) history.pushState(null, "", settled)
    else settled = location.href
    tell()
})
window.addEventListener("hashchange", tell)

/** What would be lost by leaving the page, as a question; null where nothing would. */
let question: string | null = null
let settled = location.href
const placeOf = (address: string): string => new URL(address).pathname
const mayLeave = (): boolean => question === null || window.confirm(question)

/** Asks before the page is left, by a link, the browser's own buttons or its end, while there is something to lose. */
export function useLeaveQuestion(text: string | null): void {
    useEffect(() => {
        if (text === null) return undefined
        question = text
        const ask = (event: BeforeUnloadEvent): void => event.preventDefault()
        window.addEventListener("beforeunload", ask)
        return () => {
            question = null
            window.removeEventListener("beforeunload", ask)
        }
    }, [text])
}

function subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
}

/** The address from the app's root on, `/experiments/7?x=time#…`. */
export function here(): string {
    return "/" + location.href.slice(root.href.length)
}

export function href(to: string): string {
    return root.pathname + to.replace(/^\//, "")
}

export function navigate(to: string, options: { replace?: boolean } = {}): void {
    if (new URL(href(to), location.href).pathname !== location.pathname && !mayLeave()) return
    if (options.replace) history.replaceState(null, "", href(to))
    else {
        history.pushState(null, "", href(to))
        window.scrollTo(0, 0)
    }
    settled = location.href
    tell()
}

export function useAddress(): { path: string; query: URLSearchParams; hash: string } {
    const address = useSyncExternalStore(subscribe, here)
    return useMemo(() => {
        const url = new URL("http://app" + address)
        return { path: url.pathname, query: url.searchParams, hash: url.hash }
    }, [address])
}

/** One value of the address. Setting it to its standard takes it out again. */
export function useQueryValue(name: string, standard = ""): [string, (value: string) => void] {
    const { query } = useAddress()
    const set = useCallback((value: string) => setQuery({ [name]: value === standard ? null : value }), [name, standard])
    return [query.get(name) ?? standard, set]
}

/** Changes some values of the address and keeps the others; null takes one out. */
export function setQuery(values: Record<string, string | null>): void {
    const url = new URL("http://app" + here())
    for (const [name, value] of Object.entries(values)) {
        if (value === null) url.searchParams.delete(name)
        else url.searchParams.set(name, value)
    }
    // Commas and slashes are legal in a query, and people read addresses.
    const query = url.searchParams.toString().replace(/%2C/g, ",").replace(/%2F/g, "/").replace(/%3A/g, ":")
    navigate(url.pathname + (query ? "?" + query : "") + url.hash, { replace: true })
}

export function Link({ to, onClick, ...rest }: { to: string } & AnchorHTMLAttributes<HTMLAnchorElement>): JSX.Element {
    const follow = (event: MouseEvent<HTMLAnchorElement>): void => {
        onClick?.(event)
        if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey) return
        event.preventDefault()
        navigate(to)
    }
    return <a href={href(to)} onClick={follow} {...rest} />
}
