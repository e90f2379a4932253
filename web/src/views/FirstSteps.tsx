// What an empty place says: the one thing to do next.
import { root } from "../api/client"
import { Empty } from "../ui/parts"

export function FirstSteps({ experiment }: { experiment: string }): JSX.Element {
    const api = new URL("api/v1", root).href
    return (
        <Empty title="No runs yet">
            A run appears here as soon as it is logged, from any language that can speak HTTP, or from MLflow’s client.
            <br />
            <pre>{`api=${api}
curl --json '{"parameters": {"lr": 0.1}}' $api/experiments/${experiment}/runs
curl --json '{"metrics": {"loss": 0.42}, "step": 1}' $api/runs/run_01/metrics

# code that logs to MLflow needs no change
export MLFLOW_TRACKING_URI=${root.href.replace(/\/$/, "")}`}</pre>
        </Empty>
    )
}
