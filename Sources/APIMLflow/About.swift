import MartletDomain
import MartletHTTPMessages
import MartletJSON

// What the server says of itself to MLflow's clients.
extension MLflowAPI {
    static let aboutEndpoints: [Endpoint] = [
        .read(.get, "3.0/mlflow/server-info") { _, _ throws(Refusal) in
            .json(
                try encoded { writer in
                    writer.object { writer in
                        writer.member("store_type", "SqlStore")
                        writer.member("workspaces_enabled", false)
                        writer.member("trace_archival_enabled", false)
                        writer.member("multipart_uploads_enabled", false)
                        writer.member("multipart_downloads_enabled", false)
                    }
                })
        },
        .read(.get, "3.0/mlflow/ui-telemetry") { _, _ in noTelemetry },
        .read(.post, "3.0/mlflow/ui-telemetry") { _, _ in noTelemetry },
    ]

    private static let noTelemetry = Response.json(
        Array(#"{"disable_ui_events":[],"disable_ui_telemetry":true,"ui_rollout_percentage":0}"#.utf8))
}
