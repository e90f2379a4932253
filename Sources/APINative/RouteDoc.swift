import MartletHTTPMessages
import MartletJSON

/// The rights that a route asks for, in the project that it touches.
enum RouteAccess: String, Sendable, CaseIterable {
    /// Nobody is asked who they are.
    case nothing
    /// Anyone who is known; the answer shows what they may see.
    case anyone
    case read, write, admin
    /// `admin` of the whole store, where a grant in one project does not count.
    case storeAdmin
    /// `write` in the whole store.
    case storeWrite
}

/// What the OpenAPI document says of a route, beside its path and summary.
struct RouteDoc: Sendable {
    struct Parameter: Sendable {
        var name: String
        /// `query` or `header`; those in the path are read from it.
        var place: String
        var description: String
        var schema: JSONValue
    }

    var tag = "runs"
    var parameters: [Parameter] = []
    /// Names of schemas in `Schemas.all`, by content type.
    var body: [(type: String, schema: String)] = []
    var isBodyRequired = true
    /// Status → (description, content type, schema name); the usual failures are added to every route.
    var answers: [(status: Int, description: String, type: String?, schema: String?)] = []
    /// Statuses of failure that this route can answer beside 401, 403, 429, 500 and 503.
    var failures: [Int] = [400, 404]
    /// What the summary has no room for, in Markdown.
    var details = ""
    /// Nil means `read` for GET and `write` for everything else.
    var access: RouteAccess?
    /// Whether a lost answer can be asked for again with an Idempotency-Key.
    var isOnce = false

    init(
        _ tag: String = "runs", query: [Parameter] = [], body: String? = nil, isBodyRequired: Bool = true,
        answers: [(status: Int, description: String, schema: String?)] = [], failures: [Int] = [400, 404],
        access: RouteAccess? = nil, once isOnce: Bool = false, details: String = ""
    ) {
        self.tag = tag
        parameters = query
        if let body { self.body = [("application/json", body)] }
        self.isBodyRequired = isBodyRequired
        self.answers = answers.map {
            ($0.status, $0.description, $0.schema == nil ? nil : "application/json", $0.schema)
        }
        self.failures = failures
        (self.access, self.isOnce, self.details) = (access, isOnce, details)
    }
}

extension Route {
    var access: RouteAccess { doc.access ?? (method == .get ? .read : .write) }
}

extension RouteDoc.Parameter {
    static func query(_ name: String, _ description: String, _ schema: JSONValue = ["type": "string"]) -> Self {
        .init(name: name, place: "query", description: description, schema: schema)
    }

    static let limit = query(
        "limit", "How many at most.", ["type": "integer", "minimum": 1, "maximum": 10000, "default": 100])
    static let pageToken = query("page_token", "Where the last page ended: its `next_page_token`.")
}
