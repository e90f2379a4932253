// What lies on a picture, read from the form that `Image(boxes=, masks=, classes=)` of the Python package has.
import type { Json } from "../../api/types"

export interface Box {
    group: string
    classID: number
    label: string
    caption: string
    score: number | null
    /** In parts of the picture's width and height. */
    left: number
    top: number
    width: number
    height: number
}

export interface Mask { group: string; path: string; classes: Map<number, string> }

/** An entry of the legend: what can be hidden. */
export interface OverlayClass { name: string; group: string; classID: number; label: string; isMask: boolean }

export interface Overlays { boxes: Box[]; masks: Mask[]; hasScores: boolean }

type Fields = { [key: string]: Json }

const fieldsOf = (value: Json | undefined): Fields => (value !== null && typeof value === "object" && !Array.isArray(value) ? value : {})
const numberOr = (value: Json | undefined, other: number): number => (typeof value === "number" ? value : other)

/** Stands for all classes of a mask that names none. */
export const wholeMask = -1

export const classKey = (group: string, classID: number): string => `${group}/${classID}`

/** Boxes in pixels are measured by the picture's size, which the value says or the picture itself does. */
export function overlaysOf(value: Fields, size: { width: number; height: number } | null): Overlays {
    const common = new Map<number, string>()
    if (Array.isArray(value["classes"])) {
        for (const one of value["classes"].map(fieldsOf)) common.set(numberOr(one["id"], -1), String(one["name"] ?? ""))
    }
    const labelsOf = (group: Fields): Map<number, string> => {
        const labels = new Map(common)
        for (const [number, label] of Object.entries(fieldsOf(group["class_labels"]))) labels.set(Number(number), String(label))
        return labels
    }
    const boxes: Box[] = []
    let hasScores = false
    for (const [name, raw] of Object.entries(fieldsOf(value["boxes"]))) {
        const group = fieldsOf(raw)
        const labels = labelsOf(group)
        const list = Array.isArray(group["box_data"]) ? group["box_data"] : []
        for (const box of list.map(fieldsOf)) {
            const place = fieldsOf(box["position"])
            const [x, y] = box["domain"] === "pixel" ? [size?.width ?? 0, size?.height ?? 0] : [1, 1]
            if (x === 0 || y === 0) continue
            const middle = Array.isArray(place["middle"]) ? place["middle"] : null
            const width = middle ? numberOr(place["width"], 0) : numberOr(place["maxX"], 0) - numberOr(place["minX"], 0)
            const height = middle ? numberOr(place["height"], 0) : numberOr(place["maxY"], 0) - numberOr(place["minY"], 0)
            const left = middle ? numberOr(middle[0], 0) - width / 2 : numberOr(place["minX"], 0)
            const top = middle ? numberOr(middle[1], 0) - height / 2 : numberOr(place["minY"], 0)
            const classID = numberOr(box["class_id"], 0)
            const score = Object.values(fieldsOf(box["scores"])).find((one): one is number => typeof one === "number") ?? null
            hasScores = hasScores || score !== null
            boxes.push({
                group: name, classID, label: labels.get(classID) ?? `class ${classID}`, caption: String(box["box_caption"] ?? ""), score,
                left: left / x, top: top / y, width: width / x, height: height / y,
            })
        }
    }
    const masks = Object.entries(fieldsOf(value["masks"])).flatMap(([group, raw]) => {
        const about = fieldsOf(raw)
        return typeof about["path"] === "string" ? [{ group, path: about["path"], classes: labelsOf(about) }] : []
    })
    return { boxes, masks, hasScores }
}

/** The legend of all pictures of a panel: boxes first, then masks, each by class. */
export function classesOf(all: Overlays[]): OverlayClass[] {
    const found = new Map<string, OverlayClass>()
    const add = (group: string, classID: number, label: string, isMask: boolean): void => {
        const name = classKey(group, classID)
        if (!found.has(name)) found.set(name, { name, group, classID, label, isMask })
    }
    for (const one of all) {
        for (const box of one.boxes) add(box.group, box.classID, box.label, false)
        for (const mask of one.masks) {
            if (mask.classes.size === 0) add(mask.group, wholeMask, "all classes", true)
            mask.classes.forEach((label, classID) => add(mask.group, classID, label, true))
        }
    }
    return Array.from(found.values()).sort((a, b) => Number(a.isMask) - Number(b.isMask) || a.group.localeCompare(b.group) || a.classID - b.classID)
}

/** What is on it, for those who do not see it: `3 boxes (2 car, 1 truck), mask truth (road, car)`. */
export function wordsOf(overlays: Overlays): string {
    const counts = new Map<string, number>()
    for (const box of overlays.boxes) counts.set(box.label, (counts.get(box.label) ?? 0) + 1)
    const parts = overlays.boxes.length ? [`${overlays.boxes.length} ${overlays.boxes.length === 1 ? "box" : "boxes"} (${Array.from(counts, ([label, count]) => `${count} ${label}`).join(", ")})`] : []
    for (const mask of overlays.masks) parts.push(`mask ${mask.group}${mask.classes.size ? ` (${Array.from(mask.classes.values()).join(", ")})` : ""}`)
    return parts.join(", ")
}
