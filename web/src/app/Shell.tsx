// What surrounds every page: the bar with where one is, the theme, and the way to everything else.
import { type ReactNode, useEffect, useRef } from "react"
import { get, part, root } from "../api/client"
import type { LiveState } from "../api/live"
import { useResource } from "../api/resource"
import type { Experiment } from "../api/types"
import { Icon, Menu } from "../ui/parts"
import { SavedViews } from "./SavedViews"
import { openPalette, openKeys } from "./Palette"
import { Link } from "./router"
import { setDensity, setTheme, useDensity, useTheme } from "./theme"

/** As in favicon.svg, which would be asked for anew on each page. */
function Mark(): JSX.Element {
    return (
        <svg viewBox="0 0 32 32" width={22} height={22} aria-hidden="true">
            <rect width="32" height="32" rx="7" fill="#2f4fc4" />
            <path d="M6 20.5c4.2.4 6.6-1 8.4-4.4 1.5-2.9 3.7-5.3 7-5.3 2 0 3.3.9 3.9 2.3L28 14.5l-3 .9c-.2 4.9-3.8 8.5-9 8.5-1.9 0-3.5-.3-4.9-1 1.6-.2 3-.8 4.1-1.8-3.2.7-6.3.6-9.2-.6z" fill="#fff" />
            <circle cx="21.8" cy="13.3" r="1.1" fill="#2f4fc4" />
        </svg>
    )
}

interface BarProps {
    crumbs: { name: string; to?: string; far?: boolean }[]
    tabs?: { name: string; to: string; isHere: boolean }[]
    live?: LiveState | null
    /** What can be done with the page, beside what every page has. */
    actions?: ReactNode
    children: ReactNode
}

export function Frame({ crumbs, tabs, live, actions, children }: BarProps): JSX.Element {
    const theme = useTheme()
    const density = useDensity()
    const title = crumbs.map(crumb => crumb.name).reverse().join(" · ")
    useEffect(() => {
        document.title = title ? `${title} · Martlet` : "Martlet"
    }, [title])
    const views = useRef<HTMLElement>(null)
    const here = tabs?.find(tab => tab.isHere)?.name
    // On a narrow screen the views scroll: the one that is looked at is in sight.
    useEffect(() => {
        const current = views.current?.querySelector<HTMLElement>("[aria-current]")
        if (current && views.current) views.current.scrollLeft = current.offsetLeft - views.current.offsetLeft - 40
    }, [here])
    return (
        <>
            <a className="hidden" href="#main">Skip to the page</a>
            <header className="bar">
                <Link to="/" className="brand" aria-label="Martlet, all projects"><Mark />{crumbs.length === 0 && "Martlet"}</Link>
                <nav className="crumbs" aria-label="Where you are">
                    {crumbs.map((crumb, index) => (
                        <span key={index} className={`cut${crumb.far ? " far" : ""}`}>
                            {index > 0 && <span className="sep" aria-hidden="true">/ </span>}
                            {crumb.to ? <Link to={crumb.to} className="muted">{crumb.name}</Link> : <span aria-current="page">{crumb.name}</span>}
                        </span>
                    ))}
                </nav>
                {tabs && <nav className="tabs" aria-label="Views" ref={views}>{tabs.map(tab => <Link key={tab.name} to={tab.to} aria-current={tab.isHere ? "page" : undefined}>{tab.name}</Link>)}</nav>}
                <span className="grow" />
                {live && <span className={`live ${live === "live" ? "live-on" : ""}`} role="status">{live}</span>}
                {actions}
                <Link to="/runs" className="button quiet wide">Runs</Link>
                <Link to="/models" className="button quiet wide">Models</Link>
                <button className="button quiet" onClick={openPalette} aria-label="Search and commands"><Icon name="search" /><kbd>Ctrl K</kbd></button>
                <button className="button quiet icon" aria-label={theme === "dark" ? "Light theme" : "Dark theme"} title={theme === "dark" ? "Light theme" : "Dark theme"} onClick={() => setTheme(theme === "dark" ? "light" : "dark")}>
                    <Icon name={theme === "dark" ? "sun" : "moon"} />
                </button>
                <Menu label="More" icon="more">
                    {(["compact", "normal", "relaxed"] as const).map(one => <button key={one} onClick={() => setDensity(one)}>{`Rows: ${one}`}{density === one && <Icon name="check" />}</button>)}
                    <hr />
                    <button onClick={openKeys}>Keys<kbd>?</kbd></button>
                    <Link to="/runs" className="narrow">Runs</Link>
                    <Link to="/models" className="narrow">Models</Link>
                    <Link to="/compare">Comparisons</Link>
                    <Link to="/settings">Tokens</Link>
                    <Link to="/settings/storage">Storage</Link>
                    <a href={new URL("docs", root).href}>API</a>
                </Menu>
            </header>
            {children}
        </>
    )
}

export function ExperimentFrame({ id, tab, live, children }: { id: string; tab: "workspace" | "table" | "explore" | "dashboards" | "notes"; live?: LiveState | null; children: ReactNode }): JSX.Element {
    const { data } = useResource(`experiment/${id}`, () => get<Experiment>(`experiments/${part(id)}`))
    const base = `/experiments/${part(id)}`
    return (
        <Frame
            crumbs={[...(data ? [{ name: data.project, to: `/projects/${part(data.project)}`, far: true }] : []), { name: data?.name ?? id }]}
            tabs={[
                { name: "Workspace", to: base, isHere: tab === "workspace" }, { name: "Table", to: `${base}/table`, isHere: tab === "table" },
                { name: "Explore", to: `${base}/explore`, isHere: tab === "explore" },
                { name: "Dashboards", to: `${base}/dashboards`, isHere: tab === "dashboards" },
                { name: "About", to: `${base}/about`, isHere: tab === "notes" },
            ]}
            actions={data && <SavedViews experiment={data} id={id} />}
            live={live ?? null}>
            {children}
        </Frame>
    )
}
