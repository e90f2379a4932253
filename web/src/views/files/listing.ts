// A run's artifacts: the first of them soon, which fill a screen, and the rest in large pages once they are looked at.
import { useMemo } from "react"
import { type ApiError, get, part } from "../../api/client"
import { useResource } from "../../api/resource"
import type { Artifact } from "../../api/types"
import { artifactsAtFirst } from "../look"

interface Page { artifacts: Artifact[]; next_page_token: string | null }

const pageMax = 10_000
/** So long the first of them have the server and the page for themselves. */
const restAfterMilliseconds = 600

async function restOf(run: string, token: string): Promise<Artifact[]> {
    await new Promise(resolve => window.setTimeout(resolve, restAfterMilliseconds))
    const found: Artifact[] = []
    for (let next: string | null = token; next !== null;) {
        const page: Page = await get(`runs/${part(run)}/artifacts?limit=${pageMax}&page_token=${part(next)}`)
        found.push(...page.artifacts)
        next = page.next_page_token
    }
    return found
}

export function useArtifacts(run: string | null): { artifacts: Artifact[] | undefined; isWhole: boolean; error: ApiError | null } {
    const first = useResource(run && `run/${run}/artifacts`, () => get<Page>(`runs/${part(run!)}/artifacts?limit=${artifactsAtFirst}`))
    const token = first.data?.next_page_token
    const rest = useResource(token ? `run/${run}/artifacts/${token}` : null, () => restOf(run!, token!))
    const artifacts = useMemo(() => (first.data ? [...first.data.artifacts, ...(rest.data ?? [])] : undefined), [first.data, rest.data])
    return { artifacts, isWhole: first.data !== undefined && (!token || rest.data !== undefined), error: first.error ?? rest.error }
}
