import MartletHTTPMessages

/// Addresses of MLflow that are not served here. Its clients read an error's shape before its status, so they hear in
/// their own shape that something is not to be had.
enum Unserved {
    /// The parts of MLflow that we do not do, by the segment after `mlflow/`.
    private static let parts: [String: String] = [
        "scorers":
            "Scorers are kept here and not run. Run the scorer in your process and log what it says as assessments.",
        "prompt-optimization": "Prompts are not optimised by this server. Run the optimisation in your own process.",
        "gateway": "This server is no gateway to language models. Call the model's provider from your process.",
        "jobs": "This server runs no jobs for its clients. Run it in your own process.",
        "label-schemas": "Label schemas are not kept here. Log labels as assessments of the traces.",
        "review-queues": "Review queues are not kept here. Search the traces that have no assessment yet.",
        "traces/metrics": "Traces are not aggregated by this server. Search the traces and count them in your process.",
    ]

    static func plan(_ request: Request) -> Plan? {
        guard let rest = place(request) else { return nil }
        if let refusal = refusal(rest) { return .respond(refusal) }
        return .respond(
            MLflowFailure.response(
                "ENDPOINT_NOT_FOUND", "There is nothing at \(request.target.path.prefix(200)).", .notFound))
    }

    /// For an address that looks like another one, by a method that the other one lacks.
    static func refusal(of request: Request) -> Response? { place(request).flatMap(refusal) }

    private static func place(_ request: Request) -> ArraySlice<String>? {
        let segments = request.segments
        guard segments.count >= 3, segments[0] == "api" || segments[0] == "ajax-api",
            ["2.0", "3.0"].contains(segments[1]), segments[2] == "mlflow" || segments[2] == "mlflow-artifacts"
        else { return nil }
        return segments.dropFirst(3)
    }

    private static func refusal(_ rest: ArraySlice<String>) -> Response? {
        let why = parts[rest.prefix(2).joined(separator: "/")] ?? rest.first.flatMap { parts[$0] }
        return why.map(MLflowFailure.notImplemented)
    }
}
