// The statistical charts of an experiment's runs.
import "../../core"
import type { ReactNode } from "react"
import { ByGroup } from "./ByGroup"
import { Contour } from "./Contour"
import { Correlations } from "./Correlations"
import { Pareto } from "./Pareto"
import { Scattered } from "./Scattered"
import type { Study } from "./fields"

export default function Statistics({ study, children }: { study: Study; children: ReactNode }): JSX.Element {
    return (
        <div className="stats">
            <Scattered study={study} />
            {children}
            <ByGroup study={study} />
            <Pareto study={study} />
            <Contour study={study} />
            <Correlations study={study} />
        </div>
    )
}
