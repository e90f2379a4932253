// The theme and the density of rows, kept in the browser.
import { useSyncExternalStore } from "react"

export type Theme = "light" | "dark"
export type Density = "compact" | "normal" | "relaxed"

const listeners = new Set<() => void>()
const shown = document.documentElement

function subscribe(listener: () => void): () => void {
    listeners.add(listener)
    return () => listeners.delete(listener)
}

export function useTheme(): Theme {
    return useSyncExternalStore(subscribe, () => (shown.dataset["theme"] === "dark" ? "dark" : "light"))
}

export function setTheme(theme: Theme): void {
    shown.dataset["theme"] = theme
    localStorage.setItem("martlet.theme", theme)
    listeners.forEach(listener => listener())
}

export function useDensity(): Density {
    return useSyncExternalStore(subscribe, () => (shown.dataset["density"] as Density | undefined) ?? "normal")
}

export function setDensity(density: Density): void {
    shown.dataset["density"] = density
    localStorage.setItem("martlet.density", density)
    listeners.forEach(listener => listener())
}

export const rowHeight: Record<Density, number> = { compact: 26, normal: 32, relaxed: 40 }

/** A setting of this browser. */
export function kept(name: string, standard: string): string {
    try {
        return localStorage.getItem("martlet." + name) ?? standard
    } catch {
        return standard
    }
}

export function keep(name: string, value: string): void {
    try {
        localStorage.setItem("martlet." + name, value)
    } catch {
        // A browser that keeps nothing shows the standard next time.
    }
}
