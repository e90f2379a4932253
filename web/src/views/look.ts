// The first look at an experiment's runs, asked for before the names of what they logged are known: by first.ts, before the
// app runs, and by the table in the same words.

interface Look {
    experiment_id: string[]
    filter: string
    order_by: string[]
    metrics: string[]
    params: string[]
    limit: number
}

const lookedAt = 60

export function firstLook(experiment: string, filter = "", order = "start_time DESC"): Look {
    return { experiment_id: [experiment], filter, order_by: [order], metrics: ["*"], params: ["*"], limit: lookedAt }
}
