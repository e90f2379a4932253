// What the server's answers look like: the parts of its OpenAPI document that the app reads.

export type RunState = "queued" | "running" | "finished" | "failed" | "cancelled" | "lost" | "archived"

/** A number; NaN and the infinities travel as words. */
export type WireNumber = number | "NaN" | "Infinity" | "-Infinity"

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }

export interface Project {
    id: string
    slug: string
    name: string
    description: string
    team: string
    experiment_count?: number
    run_count?: number
    last_activity?: string
    tags: Record<string, string | null>
}

export interface Experiment {
    id: string
    name: string
    project: string
    project_id: string
    description: string
    hypothesis: string
    tags: Record<string, string | null>
    created_at: string
    updated_at: string
    run_count?: number
    runs_by_state?: Partial<Record<RunState, number>>
}

export interface Artifact {
    path: string
    name: string
    type: string
    size_bytes: number
    sha256: string | null
    uri: string | null
    created_at: string
}

export interface Run {
    id: string
    short_id: string
    name: string
    experiment_id: string
    experiment_name: string
    project: string
    state: RunState
    status: string
    life: "active" | "deleted"
    parent_id: string | null
    attempt: number
    start_time: string
    end_time: string | null
    duration_seconds: number | null
    params: Record<string, Json>
    metrics: Record<string, WireNumber>
    tags: Record<string, string | null>
    /** As many as were asked for. */
    artifacts: Artifact[]
    artifact_count?: number
    user: string | null
    description: string | null
    git_commit: string | null
    code_version: string | null
    source: string | null
    environment: Record<string, Json> | null
    properties: Record<string, string>
    problems: number
    model_versions?: ModelVersion[]
}

export interface MetricStatistics {
    metric: string
    value: WireNumber
    last: WireNumber
    min: number | null
    max: number | null
    mean: number | null
    count: number
    nan: number
    inf: number
    first_step: number
    last_step: number
    summary: boolean
    unstepped: boolean
}

export interface RunTableAnswer {
    total: number
    next_page_token: string | null
    advice: string[]
    columns: {
        id: string[]
        short_id: string[]
        name: string[]
        experiment_id: string[]
        state: RunState[]
        status: string[]
        start_ms: number[]
        end_ms: (number | null)[]
        user: (string | null)[]
        parent_id: (string | null)[]
        life: string[]
    }
    params: Record<string, (Json | null)[]>
    metrics: Record<string, (WireNumber | null)[]>
    tags: Record<string, (string | null)[]>
}

export interface LoggedNames {
    metrics: string[]
    params: string[]
    tags: string[]
}

export type Axis = "step" | "relative" | "time"

export interface CurvesAnswer {
    axis: Axis
    from: number | null
    to: number | null
    buckets: number
    curves: {
        run_id: string
        metric: string
        exact: boolean
        points: number
        from: number[]
        to?: number[]
        mean: (number | null)[]
        min?: (number | null)[]
        max?: (number | null)[]
        count?: number[]
        nan?: number[]
        inf?: number[]
    }[]
}

export interface Note {
    note: number
    text: string
    author: string
    metric?: string
    step?: number
    created_at: string
    updated_at: string
    edits: number
    history?: { text: string; at: string; author: string }[]
}

export interface ModelVersion {
    model?: string
    name?: string
    version: number | string
    stage?: string
    aliases?: string[]
    run_id?: string | null
    source?: string
    description?: string
    created_at?: string
    tags?: Record<string, string | null>
}

export interface Model {
    id: string
    name: string
    description: string
    project: string
    created_at: string
    updated_at: string
    latest_version?: number | null
    version_count?: number
    aliases?: Record<string, number>
    tags: Record<string, string | null>
}

export interface Me {
    principal: string
    role: string
    mode: string
}

/** Turns a number from the wire into one. */
export function numberOf(value: WireNumber | null | undefined): number | null {
    if (value === null || value === undefined) return null
    return typeof value === "number" ? value : Number(value)
}
