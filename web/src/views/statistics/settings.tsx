// Where a chart's choices are kept: in the page's address, or in the widget that it is.
import { type ReactNode, createContext, useContext } from "react"
import { setQuery, useAddress } from "../../app/router"

export interface Settings {
    get: (name: string) => string | null
    set: (values: Record<string, string | null>) => void
}

const own = createContext<Settings | null>(null)

export function useSettings(): Settings {
    const { query } = useAddress()
    return useContext(own) ?? { get: name => query.get(name), set: setQuery }
}

export function WithSettings({ settings, children }: { settings: Settings; children: ReactNode }): JSX.Element {
    return <own.Provider value={settings}>{children}</own.Provider>
}
