// Comparisons that are kept on the server, as it answers them.
import { part, post } from "../../api/client"
import type { CurvesAnswer, WireNumber } from "../../api/types"
import type { ComparedRun } from "./SideBySide"

export interface KeptComparison {
    id: string
    name: string
    kind: "runs" | "experiments"
    visualization: "curves" | "parallel_coordinates" | "table"
    members: string[]
    version: number
    versions: { version: number; created_at: string; author: string; size_bytes: number }[]
    created_at: string
    updated_at: string
}

export interface Spread {
    count: number
    not_finite: number
    mean: WireNumber | null
    deviation: WireNumber | null
    min: WireNumber | null
    max: WireNumber | null
    best: { run_id: string; run_name: string; value: WireNumber } | null
}

export interface SeenExperiment {
    id: string
    name: string
    project: string
    run_count: number
    runs_looked_at: number
    metrics: Record<string, Spread>
}

export interface SeenComparison extends KeptComparison {
    results: {
        best_experiment: string | null
        best: { metric: string; goal: "min" | "max"; goal_guessed: boolean; value: WireNumber; runs: { experiment_id: string; run_id: string; run_name: string }[] } | null
    }
    data: {
        metrics: { metric: string; goal: "min" | "max" | null; goal_guessed: boolean }[]
        experiments?: SeenExperiment[]
        runs: (ComparedRun & { experiment_id: string })[]
        curves: CurvesAnswer | null
    }
}

/** Keeps what these runs come to now; answers with its id. */
export async function keepComparison(runs: string[]): Promise<string> {
    return (await post<KeptComparison>("comparisons", { run_ids: runs, visualization: "curves" })).id
}

/** Keeps how these experiments compare now; answers with the page that shows it. */
export async function keepExperiments(experiments: string[], name: string): Promise<string> {
    const kept = await post<KeptComparison>("experiments/compare", { experiment_ids: experiments, visualization: "parallel_coordinates", ...(name ? { name } : {}) })
    return `/visualizations/${part(kept.id)}`
}
