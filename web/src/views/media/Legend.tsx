// The classes on a panel's pictures: each can be hidden, boxes also by their score.
import { useTheme } from "../../app/theme"
import { strokeOf } from "../../charts/palette"
import type { Look } from "./Picture"
import { type OverlayClass, wholeMask } from "./overlays"

export function Legend({ classes, hasScores, look, onLook }: { classes: OverlayClass[]; hasScores: boolean; look: Look; onLook: (look: Look) => void }): JSX.Element | null {
    const theme = useTheme()
    if (classes.length === 0) return null
    const toggle = (names: string[], isHidden: boolean): void => {
        const hidden = new Set(look.hidden)
        for (const name of names) if (isHidden) hidden.add(name); else hidden.delete(name)
        onLook({ ...look, hidden })
    }
    const groups = Array.from(new Set(classes.map(one => `${one.isMask ? "mask" : "boxes"} ${one.group}`)))
    return (
        <div className="classes">
            {groups.map(group => {
                const own = classes.filter(one => `${one.isMask ? "mask" : "boxes"} ${one.group}` === group)
                const isAllHidden = own.every(one => look.hidden.has(one.name))
                return (
                    <div key={group} role="group" aria-label={`Classes of ${group}`}>
                        <button className="button quiet" aria-pressed={!isAllHidden} onClick={() => toggle(own.map(one => one.name), !isAllHidden)}>{group}</button>
                        {own.filter(one => one.classID !== wholeMask).map(one => (
                            <button key={one.name} className="button quiet class" aria-pressed={!look.hidden.has(one.name)} onClick={() => toggle([one.name], !look.hidden.has(one.name))}>
                                <i className={one.isMask ? "filled" : ""} style={{ borderColor: strokeOf(one.classID, theme).colour, background: one.isMask ? strokeOf(one.classID, theme).colour : undefined }} />{one.label}
                            </button>
                        ))}
                    </div>
                )
            })}
            {hasScores && <label className="label">score at least <input type="range" min={0} max={1} step={0.05} value={look.scoreMin} onChange={event => onLook({ ...look, scoreMin: Number(event.target.value) })} /><output className="num">{look.scoreMin.toFixed(2)}</output></label>}
        </div>
    )
}
