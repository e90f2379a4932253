// One place on the x axis that all charts of a page mark together.

export interface Crosshair {
    x: number | null
    /** The chart under the pointer; the others only draw the line. */
    source: string | null
}

let current: Crosshair = { x: null, source: null }
const followers = new Set<(crosshair: Crosshair) => void>()
let frame = 0

export function moveCrosshair(x: number | null, source: string | null): void {
    current = { x, source }
    if (!frame) {
        frame = requestAnimationFrame(() => {
            frame = 0
            followers.forEach(follower => follower(current))
        })
    }
}

export function followCrosshair(follower: (crosshair: Crosshair) => void): () => void {
    followers.add(follower)
    return () => followers.delete(follower)
}
