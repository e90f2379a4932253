package import MartletHTTPClient
package import MartletHTTPMessages
package import MartletJSON

/// The native API as commands speak it: paths and fields in, JSON out, a refusal as an error with its exit code.
package struct API: Sendable {
    package typealias Query = [(name: String, value: String?)]

    package let backend: any Backend
    /// A token of the command's own, for `login`, which asks before anything is stored.
    package init(_ backend: any Backend) { self.backend = backend }

    package func get(_ path: [String], _ query: Query = []) throws(ClientFailure) -> JSONValue {
        try json(of: send(ClientRequest(.get, API.target(path, query))))
    }

    @discardableResult
    package func send(
        _ method: Method, _ path: [String], _ query: Query = [], _ body: JSONValue? = nil
    ) throws(ClientFailure) -> JSONValue {
        var request = ClientRequest(method, API.target(path, query))
        if let body {
            var writer = JSONWriter()
            writer.value(body)
            request.body = .bytes(writer.bytes)
            request.headers["Content-Type"] = "application/json"
        }
        return try json(of: send(request))
    }

    /// Any request; an answer that is not a success is an error.
    package func send(_ request: ClientRequest) throws(ClientFailure) -> BackendAnswer {
        let answer = try backend.send(request)
        guard answer.status.isSuccess else { throw ClientFailure(answer, from: backend.place) }
        return answer
    }

    /// The body of an answer, whatever it is.
    package func bytes(_ path: [String], _ query: Query = []) throws(ClientFailure) -> [UInt8] {
        try send(ClientRequest(.get, API.target(path, query))).body
    }

    private func json(of answer: BackendAnswer) throws(ClientFailure) -> JSONValue {
        guard !answer.body.isEmpty else { return .null }
        do throws(JSONError) {
            return try JSONValue(parsing: answer.body, allowsNonFinite: true)
        } catch {
            throw ClientFailure(
                .refused, "\(backend.place) answered with something that is not JSON.",
                remedy: "Check that a Martlet server is at this address.")
        }
    }

    /// The things of a list, page after page, until there are as many as asked for; nil for all. Also how many there
    /// are in all and what the server would advise, where it says so.
    package func all(
        _ path: [String], _ query: Query, under key: String, limit: Int? = nil
    ) throws(ClientFailure) -> (items: [JSONValue], total: Int?, advice: [String]) {
        var items: [JSONValue] = []
        var advice: [String] = []
        var token: String?
        var total: Int?
        repeat {
            let left = limit.map { $0 - items.count } ?? .max
            let page = try get(path, query + [("limit", "\(max(1, min(1000, left)))"), ("page_token", token)])
            total = page["total"]?.int64.map(Int.init) ?? total
            if items.isEmpty { advice = (page["advice"]?.array ?? []).compactMap(\.string) }
            items += page[key]?.array ?? []
            token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil && items.count < limit ?? .max
        if let limit, items.count > limit { items.removeLast(items.count - limit) }
        return (items, total, advice)
    }

    /// `/api/v1` and the segments, each escaped; a query item without a value is left out.
    package static func target(_ path: [String], _ query: Query = []) -> String {
        let segments = path.map { "/" + PercentCoding.encode($0) }.joined()
        let items = query.compactMap { item in
            item.value.map { PercentCoding.encode(item.name) + "=" + PercentCoding.encode($0) }
        }
        return "/api/v1" + segments + (items.isEmpty ? "" : "?" + items.joined(separator: "&"))
    }
}

extension ClientFailure {
    /// What a refusal of the API means to whoever asked.
    package init(_ answer: BackendAnswer, from place: String) {
        let error = (try? JSONValue(parsing: answer.body))?["error"]
        guard let error, var message = error["message"]?.string else {
            self.init(
                .refused, "\(place) answered with status \(answer.status.code).",
                remedy: "Check that a Martlet server is at this address.")
            return
        }
        let candidates = (error["candidates"]?.array ?? []).compactMap(\.string)
        if !candidates.isEmpty, !message.contains("Did you mean") {
            let shown = candidates.prefix(6).map { "“\($0)”" }.joined(separator: ", ")
            message += answer.status.code == 409 ? " It may be \(shown)." : " Did you mean \(shown)?"
        }
        self.init(ClientFailure.kind(answer.status.code), message, remedy: error["remedy"]?.string)
    }

    private static func kind(_ status: Int) -> Kind {
        switch status {
        case 404: .notFound
        case 400, 422: .usage
        default: .refused
        }
    }
}
