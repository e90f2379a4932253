// The app: which page stands at which address.
import "./core"
import { StrictMode, Suspense, lazy, useEffect } from "react"
import { flushSync } from "react-dom"
import { createRoot } from "react-dom/client"
import { whenSignedOut } from "./api/client"
import { whenReady } from "./api/early"
import { Boundary } from "./app/Boundary"
import { Palette } from "./app/Palette"
import { Frame } from "./app/Shell"
import { Link, navigate, useAddress } from "./app/router"
import { Empty, Skeleton, Toasts } from "./ui/parts"
import { Home } from "./views/Home"
import { Login } from "./views/Login"
import RunPage, { RunOfExperiment } from "./views/RunPage"
import RunTable from "./views/RunTable"
import { Workspace } from "./views/Workspace"

const Compare = lazy(() => import("./views/Compare"))
const Visualization = lazy(() => import("./views/Visualization"))
const Models = lazy(() => import("./views/Models"))
const Explore = lazy(() => import("./views/Explore"))
const Dashboards = lazy(() => import("./views/dashboard/Dashboards"))
const MyRuns = lazy(() => import("./views/MyRuns"))
const About = lazy(() => import("./views/About"))
const Storage = lazy(() => import("./views/storage/Storage"))
const Settings = lazy(() => import("./views/Settings"))

whenSignedOut(() => {
    if (!location.pathname.endsWith("/login")) navigate("/login")
})

/** Links that MLflow's clients print and people have kept: `/#/experiments/1/runs/abc`. */
function fromMLflow(hash: string): string | null {
    const path = hash.replace(/^#\/?/, "/").split("?")
    const parts = (path[0] ?? "").split("/").filter(Boolean).map(decodeURIComponent)
    const query = new URLSearchParams(path[1] ?? "")
    if (parts[0] === "experiments" && parts[2] === "runs" && parts[3]) return `/runs/${parts[3]}`
    if (parts[0] === "experiments" && parts[1]) return `/experiments/${parts[1]}`
    if (parts[0] === "models") return parts[1] ? `/models/${encodeURIComponent(parts[1])}` : "/models"
    if (parts[0] === "compare-runs" || parts[0] === "compare-experiments") {
        try {
            const runs = JSON.parse(query.get("runs") ?? "[]") as string[]
            return runs.length ? `/compare?runs=${runs.join(",")}` : "/"
        } catch {
            return "/"
        }
    }
    return null
}

function Page(): JSX.Element {
    const { path, hash } = useAddress()
    const old = path === "/" && hash.length > 2 ? fromMLflow(hash) : null
    useEffect(() => {
        if (old) navigate(old, { replace: true })
    }, [old])
    if (old) return <Frame crumbs={[]}><Skeleton /></Frame>
    const parts = path.split("/").filter(Boolean).map(decodeURIComponent)
    const [first, second, third] = parts
    if (!first) return <Home />
    if (first === "projects" && second) return <Home only={second} />
    if (first === "experiments" && second && third === "runs" && parts[3]) return <RunOfExperiment experiment={second} id={parts[3]} tab={parts[4] ?? "overview"} />
    if (first === "experiments" && second && third === "table") return <RunTable id={second} key={second} />
    if (first === "experiments" && second && third === "explore") return <Explore id={second} key={second} />
    if (first === "experiments" && second && third === "dashboards") return <Dashboards id={second} key={second} {...(parts[3] ? { name: parts[3] } : {})} />
    if (first === "experiments" && second && third === "about") return <About id={second} key={second} />
    if (first === "experiments" && second && !third) return <Workspace id={second} key={second} />
    if (first === "runs" && !second) return <MyRuns />
    if (first === "runs" && second) return <RunPage id={second} tab={third ?? "overview"} key={second} />
    if (first === "compare") return <Compare />
    if (first === "visualizations" && second) return <Visualization id={second} key={second} />
    if (first === "models") return <Models {...(second ? { name: second } : {})} />
    if (first === "settings" && second === "storage") return <Storage />
    if (first === "settings") return <Settings />
    if (first === "login") return <Login />
    return (
        <Frame crumbs={[{ name: "Nothing here" }]}>
            <main className="page" id="main"><Empty title="There is nothing at this address">{path} is no page of Martlet. <Link className="text" to="/">All projects</Link></Empty></main>
        </Frame>
    )
}

/** The page, or what stands in its place while it comes or where it cannot. */
function App(): JSX.Element {
    const { path } = useAddress()
    return <Boundary place={path}><Suspense fallback={<Frame crumbs={[]}><Skeleton rows={8} /></Frame>}><Page /></Suspense></Boundary>
}

const place = document.getElementById("app")
if (place) {
    const root = createRoot(place)
    // At once, effects included: what was asked early is taken before anything is painted.
    void whenReady().then(() => flushSync(() => root.render(
        <StrictMode>
            <App />
            <Palette />
            <Toasts />
        </StrictMode>,
    )))
}

