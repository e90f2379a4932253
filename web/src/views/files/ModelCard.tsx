// MLflow's file `MLmodel` as a card: flavours, what goes in and comes out, and the files beside it.
import "../../core"
import { useMemo } from "react"
import type { Artifact, Json } from "../../api/types"
import { setQuery } from "../../app/router"
import { formatBytes, formatValue } from "../../ui/format"
import { type Tree, yamlTree } from "./yaml"

interface Field { name?: string; type?: string; required?: boolean; "tensor-spec"?: { dtype?: string; shape?: Json[] } }

const fields = (value: Tree | undefined): [string, Tree][] => (value && typeof value === "object" && !Array.isArray(value) ? Object.entries(value) : [])

export default function ModelCard({ text, path, artifacts }: { text: string; path: string; artifacts: Artifact[] }): JSX.Element {
    const model = useMemo(() => yamlTree(text), [text])
    const folder = path.includes("/") ? path.slice(0, path.lastIndexOf("/") + 1) : ""
    const beside = artifacts.filter(artifact => artifact.path !== path && artifact.path.startsWith(folder))
    const about = Object.fromEntries(fields(model))
    const signature = Object.fromEntries(fields(about["signature"]))
    const facts = fields(model).filter(([, value]) => typeof value !== "object" && value !== "")
    return (
        <div className="model-card">
            <h3>Flavours</h3>
            <dl className="facts">{fields(about["flavors"]).map(([name, flavour]) => (
                <div key={name}><dt>{name}</dt><dd>{fields(flavour).filter(([, value]) => typeof value !== "object").map(([key, value]) => <div key={key}><span className="muted">{key}</span> {String(value)}</div>)}</dd></div>
            ))}</dl>
            {(["inputs", "outputs", "params"] as const).map(part => <Signature key={part} name={part} text={signature[part]} />)}
            <h3>About it</h3>
            <table className="plain"><tbody>{facts.map(([key, value]) => <tr key={key}><td>{key}</td><td className="mono wrap">{key === "model_size_bytes" ? formatBytes(Number(value)) : String(value)}</td></tr>)}</tbody></table>
            {beside.length > 0 && <><h3>Files of the model</h3><ul>{beside.slice(0, 100).map(artifact => <li key={artifact.path}><button className="button quiet" onClick={() => setQuery({ path: artifact.path })}>{artifact.path.slice(folder.length)}</button> <span className="muted num">{formatBytes(artifact.size_bytes)}</span></li>)}</ul></>}
            <details><summary>Its text</summary><pre>{text}</pre></details>
        </div>
    )
}

function Signature({ name, text }: { name: string; text: Tree | undefined }): JSX.Element | null {
    const found = useMemo((): Field[] | null => {
        try {
            const value = JSON.parse(typeof text === "string" ? text : "null") as Field[]
            return Array.isArray(value) ? value : null
        } catch {
            return null
        }
    }, [text])
    if (!found?.length) return null
    return (
        <>
            <h3>{name[0]!.toUpperCase() + name.slice(1)}</h3>
            <table className="plain"><thead><tr><th>Name</th><th>Type</th><th>Shape</th><th>Needed</th></tr></thead>
                <tbody>{found.map((field, index) => <tr key={index}><td>{field.name ?? "–"}</td><td>{field["tensor-spec"]?.dtype ?? formatValue(field.type)}</td><td className="mono">{field["tensor-spec"]?.shape ? `(${field["tensor-spec"].shape.map(one => (one === -1 ? "any" : String(one))).join(", ")})` : "–"}</td><td>{field.required === false ? "no" : "yes"}</td></tr>)}</tbody></table>
        </>
    )
}
