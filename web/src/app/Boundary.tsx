// What is shown where a page cannot be: its script is out of reach, because the server is gone or is a newer one, or it failed.
import { Component, type ReactNode } from "react"
import { root } from "../api/client"
import { toast } from "../ui/parts"
import { Frame } from "./Shell"

export class Boundary extends Component<{ place: string; children: ReactNode }, { error: Error | null }> {
    override state: { error: Error | null } = { error: null }

    static getDerivedStateFromError(error: Error): { error: Error } {
        return { error }
    }

    override componentDidUpdate(before: { place: string }): void {
        // Somewhere else it may go well.
        if (before.place !== this.props.place && this.state.error) this.setState({ error: null })
    }

    override render(): ReactNode {
        const { error } = this.state
        if (!error) return this.props.children
        const isOutOfReach = /import|fetch|load/i.test(error.message)
        return (
            <Frame crumbs={[{ name: isOutOfReach ? "Out of reach" : "Something went wrong" }]}>
                <main className="page" id="main">
                    <div className="message bad" role="alert">
                        <div><b>{isOutOfReach ? "This page could not be loaded." : "This page does not work here."}</b> {isOutOfReach ? "The server does not answer, or it was renewed since the app was opened." : `It said: ${error.message}`}</div>
                        <button className="button" onClick={again}>Try again</button>
                    </div>
                </main>
            </Frame>
        )
    }
}

/** A page that is loaded again while the server is away would be the browser's own, with nothing of ours. */
function again(): void {
    fetch(root.href, { cache: "no-store" }).then(() => location.reload(), () => toast("The server still does not answer"))
}
