import MartletObservability

/// What a server counts. Looked up once, since a request touches several of them.
final class ServerInstruments: Sendable {
    let connections: Gauge
    let refusedConnections: Counter
    let inFlight: Gauge
    let duration: Histogram
    let reaped: Counter
    let webSockets: Gauge
    private let byClass: [Counter]

    init(_ metrics: Metrics) {
        connections = metrics.gauge("martlet_http_connections", "Open connections.")
        refusedConnections = metrics.counter("martlet_http_connections_refused_total", "Connections beyond the limit.")
        inFlight = metrics.gauge("martlet_http_requests_in_flight", "Requests that are not answered yet.")
        duration = metrics.histogram(
            "martlet_http_request_seconds", "From the request line to the last byte of the answer.")
        reaped = metrics.counter("martlet_http_connections_reaped_total", "Connections cut because they were too slow.")
        webSockets = metrics.gauge("martlet_http_websockets", "Open WebSockets.")
        byClass = (0...5).map { group in
            metrics.counter(
                "martlet_http_requests_total", "Requests by class of status.",
                ("status", group == 0 ? "none" : "\(group)xx"))
        }
    }

    func requests(status: Int) -> Counter { byClass[(1...5).contains(status / 100) ? status / 100 : 0] }
}
