// One widget of a dashboard, with the tools that change it.
import { memo, useMemo } from "react"
import type { Subject } from "../../charts/subjects"
import { Icon } from "../../ui/parts"
import { ByGroup } from "../statistics/ByGroup"
import { Contour } from "../statistics/Contour"
import { Correlations } from "../statistics/Correlations"
import { Pareto } from "../statistics/Pareto"
import { Scattered } from "../statistics/Scattered"
import type { Study } from "../statistics/fields"
import { WithSettings } from "../statistics/settings"
import { BestCell, CurveCell, StatesCell, TextCell } from "./Cells"
import { type Kind, type Widget as WidgetModel, kinds } from "./model"

interface Props {
    widget: WidgetModel
    study: Study
    subjects: Subject[]
    isEditing: boolean
    onChange: (widget: WidgetModel) => void
    onMove: (by: number) => void
    onRemove: () => void
}

const hasMetric = (kind: Kind): boolean => kind !== "states" && kind !== "text" && kind !== "correlation"

export const Widget = memo(function Widget({ widget, study, subjects, isEditing, onChange, onMove, onRemove }: Props): JSX.Element {
    const metric = widget.settings["metric"] ?? study.metric
    const own = useMemo(() => ({ ...study, metric }), [study, metric])
    const set = (values: Record<string, string | null>): void => {
        const next = { ...widget.settings }
        for (const [name, value] of Object.entries(values)) {
            if (value === null) delete next[name]
            else next[name] = value
        }
        onChange({ ...widget, settings: next })
    }
    return (
        <div className="widget" style={{ gridColumn: `span ${widget.width}` }}>
            {isEditing && (
                <div className="widget-tools" role="toolbar" aria-label={`Change ${kinds[widget.kind]}`}>
                    <span className="muted cut">{kinds[widget.kind]}</span>
                    {hasMetric(widget.kind) && <label className="label"><span className="hidden">Result</span><select className="select" value={metric} onChange={event => set({ metric: event.target.value })}>{study.metrics.map(field => <option key={field.id}>{field.name}</option>)}</select></label>}
                    <span className="grow" />
                    <button className="button" title="Width" aria-label={`Width: ${widget.width} of 3`} onClick={() => onChange({ ...widget, width: (widget.width % 3) + 1 })}>{widget.width}⁄3</button>
                    <button className="button icon" aria-label="Earlier" title="Earlier" onClick={() => onMove(-1)}>←</button>
                    <button className="button icon" aria-label="Later" title="Later" onClick={() => onMove(1)}>→</button>
                    <button className="button icon" aria-label="Remove" title="Remove" onClick={onRemove}><Icon name="close" /></button>
                </div>
            )}
            <WithSettings settings={{ get: name => widget.settings[name] ?? null, set }}>
                {widget.kind === "curve" ? <CurveCell study={own} subjects={subjects} />
                    : widget.kind === "best" ? <BestCell study={own} />
                    : widget.kind === "states" ? <StatesCell rows={study.rows} />
                    : widget.kind === "text" ? <TextCell text={widget.settings["text"] ?? ""} onChange={isEditing ? text => set({ text }) : null} />
                    : widget.kind === "scatter" ? <Scattered study={own} />
                    : widget.kind === "groups" ? <ByGroup study={own} />
                    : widget.kind === "tradeoff" ? <Pareto study={own} />
                    : widget.kind === "contour" ? <Contour study={own} />
                    : <Correlations study={own} />}
            </WithSettings>
        </div>
    )
})
