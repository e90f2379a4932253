// What stands beside a point of a statistical chart.
import { formatNumber } from "../../ui/format"

export function Readout({ title, colour, values }: { title: string; colour?: string; values: [string, number | string][] }): JSX.Element {
    return (
        <>
            <div className="readout-row is-near">{colour && <i style={{ background: colour }} />}<span className="readout-name">{title}</span></div>
            {values.map(([name, value]) => <div key={name} className="readout-row">{name}<b>{typeof value === "number" ? formatNumber(value, 5) : value}</b></div>)}
        </>
    )
}

export function FieldChoice({ label, value, groups, onChange }: { label: string; value: string; groups: [string, { id: string; name: string }[]][]; onChange: (id: string) => void }): JSX.Element {
    return (
        <label className="label">{label}
            <select className="select" value={value} onChange={event => onChange(event.target.value)}>
                {groups.filter(([, fields]) => fields.length > 0).map(([name, fields]) => <optgroup key={name} label={name}>{fields.map(field => <option key={field.id} value={field.id}>{field.name}</option>)}</optgroup>)}
            </select>
        </label>
    )
}
