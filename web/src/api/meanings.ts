// Which way a metric is better: as its experiment says, else the server's guess by the name, told as one.
import { useMemo } from "react"
import { get, part } from "./client"
import { useResource } from "./resource"

export interface Meaning { goal: "min" | "max"; isGuessed: boolean }

interface WireMeaning { name?: string; metric: string; goal: "min" | "max" | null; guessed: boolean; summary?: string | null; unit?: string | null }

/** Addresses stay short enough for every proxy, however long names are. */
const addressMax = 4000

export function fetchMeanings(experiment: string, names: string[]): Promise<Map<string, Meaning>> {
    const questions: string[] = []
    for (const name of names) {
        const wanted = `name=${part(name)}`
        const last = questions[questions.length - 1]
        if (last !== undefined && last.length + wanted.length < addressMax) questions[questions.length - 1] = `${last}&${wanted}`
        else questions.push(wanted)
    }
    const pages = questions.map(question => get<{ metrics: WireMeaning[] }>(`experiments/${part(experiment)}/metrics?${question}`))
    return Promise.all(pages).then(answers => new Map(answers.flatMap(answer => answer.metrics).flatMap(one =>
        one.goal ? [[one.name ?? one.metric, { goal: one.goal, isGuessed: one.guessed }] as const] : [])))
}

/** Of each metric; nothing for what is set and not achieved, such as a learning rate. */
export function useKnownMeanings(experiment: string, names: string[]): Map<string, Meaning> | undefined {
    const key = names.length ? `experiment/${experiment}/meanings|${names.join("\n")}` : null
    const found = useResource(key, () => fetchMeanings(experiment, names))
    return found.data
}

/** For what needs a direction whatever it is asked about. */
export function useMeanings(experiment: string, names: string[]): (metric: string) => Meaning {
    const known = useKnownMeanings(experiment, names)
    return useMemo(() => (metric: string) => known?.get(metric) ?? { goal: "max", isGuessed: true }, [known])
}
