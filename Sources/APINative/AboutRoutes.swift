import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletObservability
import MartletStorage

// What the server says of itself. Outside of /api/v1, because probes and people look for them at the top.
extension NativeAPI {
    static let aboutRoutes: [Route] = [
        Route(
            .get, "/health", "Check that the server works",
            .read { exchange in health(exchange) },
            RouteDoc(
                "about",
                answers: [(200, "It answers, and can read its store.", "Health"), (503, "It cannot.", "Health")],
                failures: [], access: .nothing,
                details:
                    "Reads from the store and waits for no writer, so that a probe is not held up by heavy logging.")),
        Route(
            .get, "/version", "Show what is running",
            .read { exchange throws(Refusal) in try version(exchange) },
            RouteDoc(
                "about", answers: [(200, "The version.", "Version")], failures: [], access: .nothing)),
        Route(
            .get, "/openapi.json", "Show this interface as an OpenAPI 3.1 document",
            .read { exchange throws(Refusal) in try openAPI(exchange) },
            RouteDoc(
                "about", answers: [(200, "The document.", "OpenAPI")], failures: [], access: .nothing)),
        Route(
            .get, "/docs", "Show this interface as a page",
            .read { exchange in docs(exchange) },
            RouteDoc("about", page: "The page. It needs no other file.")),
    ]

    private static func health(_ exchange: Exchange) -> Response {
        var reason: String?
        do throws(Refusal) {
            try exchange.engine.read { (reader: any StoreReader) throws(Refusal) in
                guard try reader.project(.standard) == nil else { return }
                throw Refusal(
                    .damaged, "The default project is missing.", remedy: "Run `martlet fsck` on the store.")
            }
        } catch {
            reason = error.message
            exchange.engine.log.warning("health: \(error)", ("request", exchange.request.id))
        }
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("status", reason == nil ? "ok" : "failing")
            writer.member("version", exchange.api.about.version)
            writer.member("store", exchange.engine.store.about.kind)
            if let reason { writer.member("reason", reason) }
        }
        var response = Response.json(writer.bytes, status: reason == nil ? .ok : .unavailable)
        response.headers.add("Cache-Control", "no-store")
        return response
    }

    private static func version(_ exchange: Exchange) throws(Refusal) -> Response {
        let about = exchange.api.about
        let store = exchange.engine.store.about
        return .json(
            try encoded { writer in
                writer.object { writer in
                    writer.member("name", "martlet")
                    writer.member("version", about.version)
                    writer.member("commit", about.commit)
                    writer.member("api", "v1")
                    writer.member("store", store.kind)
                    writer.member("store_format", store.format)
                }
            })
    }

    private static func openAPI(_ exchange: Exchange) throws(Refusal) -> Response {
        var response = Response.json(
            try encoded { $0.value(OpenAPIDocument(version: exchange.api.about.version).json) })
        response.headers.add("Cache-Control", "no-cache")
        return response
    }

    private static func docs(_ exchange: Exchange) -> Response {
        var response = Response(.ok, "text/html; charset=utf-8", DocsPage(version: exchange.api.about.version).bytes)
        response.headers.add("Content-Security-Policy", DocsPage.policy)
        response.headers.add("X-Content-Type-Options", "nosniff")
        response.headers.add("Referrer-Policy", "no-referrer")
        response.headers.add("Cache-Control", "no-cache")
        return response
    }
}

extension RouteDoc {
    /// A page for people.
    fileprivate init(_ tag: String, page description: String) {
        self.init(tag, failures: [], access: .nothing)
        answers = [(200, description, "text/html", nil)]
    }
}
