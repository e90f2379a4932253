import MartletHTTPMessages
import MartletJSON

/// The OpenAPI 3.1 document, made from the table of routes: it cannot tell of a route that is not there.
struct OpenAPIDocument {
    var version: String

    var json: JSONValue {
        [
            "openapi": "3.1.0",
            "info": [
                "title": "Martlet", "version": .string(version), "summary": "An experiment tracker.",
                "description": .string(OpenAPIDocument.introduction),
            ],
            // Relative to this document, so that it is right behind a proxy with a path of its own.
            "servers": [["url": "."]],
            "security": [["bearer": []], ["basic": []], ["session": []], [:]],
            "tags": .array(
                RouteSubjects.all.map { ["name": .string($0.name), "description": .string($0.description)] }),
            "paths": paths,
            "components": components,
        ]
    }

    static let introduction = """
        Projects hold experiments, experiments hold runs. An id in an address is taken as the first that matches: full \
        id, short id (`run_01`), alias, exact name, unique beginning of an id; `id:x` and `name:x` force one. One that \
        could be several is 409 with the candidates. Lists take `limit` and `page_token`. Times are ISO 8601 in UTC. \
        NaN and the infinities are the texts `"NaN"`, `"Infinity"` and `"-Infinity"`. A body may be packed by gzip, deflate \
        or zstd (`Content-Encoding`); an answer is, by zstd or gzip, where `Accept-Encoding` says so.
        """

    // MARK: Paths

    private var paths: JSONValue {
        var paths = JSONObject()
        for route in NativeAPI.all {
            var methods = paths[route.template]?.object ?? JSONObject()
            methods[route.method.rawValue.lowercased()] = operation(route)
            paths[route.template] = .object(methods)
        }
        return .object(paths)
    }

    private func operation(_ route: Route) -> JSONValue {
        var operation = JSONObject()
        operation["operationId"] = .string(route.operationID)
        operation["tags"] = [.string(route.doc.tag)]
        operation["summary"] = .string(route.summary)
        operation["description"] = .string(route.fullDescription)
        operation["x-role"] = .string(route.access.rawValue)
        if route.access == .nothing { operation["security"] = .array([]) }
        let parameters = route.pathParts.map(parameter) + route.allParameters.map(parameter)
        if !parameters.isEmpty { operation["parameters"] = .array(parameters) }
        if !route.doc.body.isEmpty {
            var content = JSONObject()
            for (type, schema) in route.doc.body { content[type] = media(schema) }
            operation["requestBody"] = ["required": .bool(route.doc.isBodyRequired), "content": .object(content)]
        }
        operation["responses"] = responses(of: route)
        return .object(operation)
    }

    private func parameter(_ part: PathPart) -> JSONValue {
        var description = part.description
        if part.isRest { description += " It may contain slashes." }
        return [
            "name": .string(part.name), "in": "path", "required": true, "description": .string(description),
            "schema": ["type": "string"], "example": .string(part.sample),
        ]
    }

    private func parameter(_ parameter: RouteDoc.Parameter) -> JSONValue {
        [
            "name": .string(parameter.name), "in": .string(parameter.place), "required": false,
            "description": .string(parameter.description), "schema": parameter.schema,
        ]
    }

    private func media(_ schema: String?) -> JSONValue {
        guard let schema, !schema.isEmpty else { return [:] }
        var media = JSONObject()
        media["schema"] = Schema.reference(schema)
        if let example = Schemas.named(schema)?.example { media["example"] = example }
        return .object(media)
    }

    private func responses(of route: Route) -> JSONValue {
        var responses = JSONObject()
        for answer in route.doc.answers {
            var response = responses["\(answer.status)"]?.object ?? JSONObject()
            if response["description"] == nil { response["description"] = .string(answer.description) }
            if let type = answer.type {
                var content = response["content"]?.object ?? JSONObject()
                content[type] = media(answer.schema)
                response["content"] = .object(content)
            }
            responses["\(answer.status)"] = .object(response)
        }
        for status in route.allFailures where responses["\(status)"] == nil {
            responses["\(status)"] = ["$ref": .string("#/components/responses/\(FailureTexts.name(status))")]
        }
        return .object(responses)
    }

    // MARK: Components

    /// In what clients send, null is as good as left out.
    private func schema(_ named: Schemas.Named) -> JSONObject.Member {
        let isSent = NativeAPI.all.contains { route in route.doc.body.contains { $0.schema == named.name } }
        return JSONObject.Member(named.name, isSent ? Schema.withNulls(named.schema) : named.schema)
    }

    private var components: JSONValue {
        var responses = JSONObject()
        for (status, description) in FailureTexts.all {
            responses[FailureTexts.name(status)] = [
                "description": .string(description),
                "content": ["application/json": ["schema": Schema.reference("Error")]],
            ]
        }
        return [
            "schemas": .object(JSONObject(Schemas.all.map(schema))),
            "responses": .object(responses),
            "securitySchemes": [
                "bearer": [
                    "type": "http", "scheme": "bearer", "description": "A token: `Authorization: Bearer mlt_…`.",
                ],
                "basic": [
                    "type": "http", "scheme": "basic", "description": "Any user name, the token as the password.",
                ],
                "session": [
                    "type": "apiKey", "in": "cookie", "name": .string(NativeAPI.sessionCookie),
                    "description": "What `POST /api/v1/session` sets for browsers.",
                ],
            ],
        ]
    }
}

/// What routes are sorted under, in the order of the page.
enum RouteSubjects {
    static let all: [(name: String, description: String)] = known + others

    private static let known: [(name: String, description: String)] = [
        ("projects", "Where experiments that belong together live, and where rights are given."),
        ("experiments", "A question and the runs that try to answer it."),
        ("runs", "One execution: how it begins, goes on, branches and ends."),
        ("params and tags", "What a run was given, and how it is marked."),
        ("metrics", "Numbers over steps."),
        ("models", "The registry: names, versions, aliases and stages; and models as training logged them."),
        ("artifacts", "Files of runs, by content or by reference."),
        ("notes and facts", "What people write about runs, and the records that reports are made of."),
        ("search", "Finding and comparing runs."),
        ("comparisons", "What stood side by side at a moment, kept as it was."),
        ("streams", "What changes, as it changes."),
        ("access", "Users, tokens, sessions, and the trail of who changed what."),
        ("about", "What the server says of itself."),
    ]

    /// Subjects that routes have and this list has not.
    private static let others: [(name: String, description: String)] = {
        var seen = Set(known.map(\.name))
        return NativeAPI.all.map(\.doc.tag).filter { seen.insert($0).inserted }.map { ($0, "") }
    }()
}

/// What each failure means, whichever route answers it.
enum FailureTexts {
    static let all: [(status: Int, description: String)] = [
        (400, "The request cannot be read: broken JSON, a bad number in the query."),
        (401, "No token, or one that does not count."),
        (403, "The caller's role is not enough here."),
        (404, "There is no such thing; `candidates` names what may have been meant."),
        (406, "There is no answer in a form that the client accepts."),
        (409, "It is in conflict with what is there: a changed param, a taken name, an id that could be several."),
        (412, "A condition of the request does not hold."),
        (413, "The body is too large."),
        (415, "The body is in a form that this route does not take."),
        (416, "The range lies outside of the file."),
        (422, "It was understood and is wrong; `field` names the place."),
        (426, "This address is for WebSockets."),
        (429, "Too much is waiting to be written; come again after `Retry-After` seconds."),
        (500, "A defect of the server."),
        (503, "The store is locked or closing; come again after `Retry-After` seconds."),
        (507, "The disk is full."),
    ]

    static func name(_ status: Int) -> String { "Failure\(status)" }
}

/// A part of a path that the client fills in.
struct PathPart: Sendable {
    var name: String
    var isRest: Bool

    var description: String { PathPart.known[name]?.description ?? "" }
    var sample: String { PathPart.known[name]?.sample ?? name }

    private static let known: [String: (description: String, sample: String)] = [
        "project": ("The project's id, slug or name.", "default"),
        "experiment": ("The experiment's id or name.", "lr-sweep"),
        "run": ("The run's id, short id, alias, name or the beginning of its id.", "6f1c2d3e4b5a69788796a5b4c3d2e1f0"),
        "glob": ("A metric's name, or a pattern with `*` and `?`.", "val/*"),
        "note": ("The note's number.", "1"),
        "kind": ("The fact's kind.", "dataset"),
        "id": ("The token's id.", "3f9a1c5e7b2d"),
        "key": ("The key.", "team"),
        "path": ("The path inside of the run.", "models/best.pt"),
        "artifact": ("The name of the artifact.", "spam-model"),
        "model": ("The name of the model.", "churn"),
        "logged": ("The id of the logged model.", "m-6f1c2d3e4b5a69788796a5b4c3d2e1f0"),
        "webhook": ("The id of the webhook.", "0b6a2d7e-6a45-4f39-9a55-0a5ad6f6f1c3"),
        "comparison": ("The id of the kept comparison.", "7d2f7a51-3c2e-4b0e-8f0c-2f6c1b7e9a10"),
        "name": ("The name.", "trainer"),
        "version": ("The number of the version, or an alias.", "1"),
        "alias": ("The alias.", "production"),
        "metric": ("The metric's name.", "val/loss"),
    ]
}

extension Route {
    var pathParts: [PathPart] {
        path.split(separator: "/").filter { $0.hasPrefix("{") }.map { part in
            let name = part.dropFirst().dropLast()
            return name.hasSuffix("…")
                ? PathPart(name: String(name.dropLast()), isRest: true)
                : PathPart(name: String(name), isRest: false)
        }
    }

    /// The path as OpenAPI writes it.
    var template: String { path.split(separator: "…").joined() }

    /// `post_experiments_experiment_runs`.
    var operationID: String {
        let words = path.split(separator: "/").filter { $0 != "api" && $0 != "v1" }
            .map { part in part.filter { $0.isASCII && ($0.isLetter || $0.isNumber) } }
        return ([method.rawValue.lowercased()] + words).joined(separator: "_")
    }

    var fullDescription: String {
        let role =
            switch access {
            case .nothing: "Asks for no token."
            case .anyone: "For everyone who is known; shows what they may see."
            case .read: "Needs the role `read` in the project."
            case .write: "Needs the role `write` in the project."
            case .admin: "Needs the role `admin` in the project."
            case .storeWrite: "Needs the role `write` in the whole store."
            case .storeAdmin: "Needs the role `admin` in the whole store."
            }
        return doc.details.isEmpty ? role : doc.details + " " + role
    }

    /// What is said of the route, and the header that every repeatable one takes.
    var allParameters: [RouteDoc.Parameter] {
        let hasKey = doc.parameters.contains { $0.name.lowercased() == "idempotency-key" }
        return doc.isOnce && !hasKey ? doc.parameters + [.onceKey] : doc.parameters
    }

    var allFailures: [Int] {
        var failures = Set(doc.failures)
        failures.formUnion([429, 500, 503])
        if access != .nothing { failures.formUnion([401, 403]) }
        // A number in the query, a part of the path: whatever is read may be unreadable.
        if !doc.parameters.isEmpty || !pathParts.isEmpty { failures.insert(400) }
        if doc.parameters.contains(where: { $0.name == "limit" }) || pathParts.contains(where: \.isRest) {
            failures.insert(422)
        }
        if !doc.body.isEmpty { failures.insert(413) }
        if method != .get { failures.insert(507) }
        return failures.sorted()
    }
}

extension RouteDoc.Parameter {
    fileprivate static let onceKey = RouteDoc.Parameter(
        name: "Idempotency-Key", place: "header",
        description:
            "At most 128 bytes. The same request with the same key again, within a day, gives the first answer.",
        schema: ["type": "string", "maxLength": 128])
}
