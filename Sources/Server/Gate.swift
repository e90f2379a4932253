import MartletHTTPMessages

/// Which requests are let in before any route sees them.
struct GateRules: Sendable {
    var allowedHosts: [String]
    var corsOrigins: [String]
    var basePath: String
}

/// Stands before all routes: a browser can reach loopback, so the name it used and the page it came from are checked
/// even there.
struct Gate: RequestHandler {
    let rules: GateRules
    /// Asked in order; the first that knows the address decides.
    let routes: [@Sendable (Request) -> Plan?]
    private let hostName: String

    init(_ rules: GateRules, routes: [@Sendable (Request) -> Plan?], hostName: String = Gate.machineName()) {
        (self.rules, self.routes, self.hostName) = (rules, routes, hostName)
    }

    func handle(_ head: Request) -> Plan {
        var request = head
        let below = below(head.target.raw)
        if let below, below.hasPrefix("/"), let target = try? Target(String(below)) { request.target = target }
        if let refusal = refusal(of: request) { return .respond(.failure(refusal, requestID: request.id)) }
        if let below, !below.hasPrefix("/"), request.method.isSafe {
            // A page's links are relative: without the slash they would lead one step too high.
            let place = Headers([.init("Location", "\(rules.basePath)/\(below)")])
            return .respond(Response(.permanentRedirect, headers: place))
        }
        if request.method == .options, let plan = preflight(request) { return plan }
        for route in routes {
            if let plan = route(request) { return withCORS(plan, request) }
        }
        return .respond(
            .failure(
                HTTPError(
                    .notFound, "not_found", "There is nothing at \(request.target.path).",
                    remedy: "See /docs for every address."), requestID: request.id))
    }

    // MARK: - Host and Origin

    private func refusal(of request: Request) -> HTTPError? {
        let path = request.target.path
        if path != "/health" && path != "/version", !isOurs(host: request.headers["host"] ?? "") {
            return HTTPError(
                .forbidden, "host_refused",
                "The Host “\(request.headers["host"]?.prefix(100) ?? "")” is not a name of this server.",
                remedy: "Start it with --allowed-hosts naming it.")
        }
        let isUpgrade = request.headers.hasToken("upgrade", in: "connection")
        guard !request.method.isSafe || isUpgrade else { return nil }
        if let origin = request.headers["origin"], !isOurs(origin: origin, request) {
            return HTTPError(
                .forbidden, "origin_refused", "The page \(origin.prefix(100)) may not change anything here.",
                remedy: "Start the server with --cors-origin naming it, if it may.")
        }
        if request.headers["sec-fetch-site"]?.lowercased() == "cross-site",
            !rules.corsOrigins.contains(request.headers["origin"] ?? "")
        {
            return HTTPError(
                .forbidden, "origin_refused", "Another site may not change anything here.",
                remedy: "Start the server with --cors-origin naming it, if it may.")
        }
        return nil
    }

    /// An IP literal, localhost, the machine's name, or one that the operator allowed. A DNS name that an attacker points
    /// at loopback is none of them.
    private func isOurs(host: String) -> Bool {
        var name = host.lowercased()
        if name.hasPrefix("[") {
            guard let end = name.firstIndex(of: "]") else { return false }
            return name[name.index(after: name.startIndex)..<end].contains(":")
        }
        if let colon = name.lastIndex(of: ":") { name = String(name[..<colon]) }
        if name == "localhost" || name.hasSuffix(".localhost") || isAddress(name) { return true }
        if name == hostName || name == hostName + ".local" { return true }
        return rules.allowedHosts.contains { allowed in
            let allowed = allowed.lowercased()
            return allowed == "*" || name == allowed
                || (allowed.hasPrefix("*.") && name.hasSuffix(allowed.dropFirst()))
        }
    }

    private func isAddress(_ name: String) -> Bool {
        let parts = name.split(separator: ".", omittingEmptySubsequences: false)
        return parts.count == 4 && parts.allSatisfy { UInt8($0) != nil }
    }

    private func isOurs(origin: String, _ request: Request) -> Bool {
        if rules.corsOrigins.contains(origin) || rules.corsOrigins.contains("*") { return true }
        guard let mark = origin.firstRange(of: "://") else { return false }
        let authority = origin[mark.upperBound...].lowercased()
        return authority == (request.headers["host"] ?? "").lowercased()
    }

    // MARK: - CORS

    private func allowed(_ request: Request) -> String? {
        guard let origin = request.headers["origin"] else { return nil }
        return rules.corsOrigins.contains(origin) || rules.corsOrigins.contains("*") ? origin : nil
    }

    private func preflight(_ request: Request) -> Plan? {
        guard let origin = allowed(request), request.headers.contains("access-control-request-method") else {
            return nil
        }
        return .respond(
            Response(
                .noContent,
                headers: [
                    "Access-Control-Allow-Origin": origin, "Vary": "Origin",
                    "Access-Control-Allow-Methods": "GET, POST, PUT, PATCH, DELETE",
                    "Access-Control-Allow-Headers": "Authorization, Content-Type, Idempotency-Key",
                    "Access-Control-Max-Age": "600",
                ]))
    }

    private func withCORS(_ plan: Plan, _ request: Request) -> Plan {
        guard let origin = allowed(request), case .collect(let limit, let lane, let then) = plan else { return plan }
        return .collect(limit: limit, on: lane) { request, bytes, responder in
            then(
                request, bytes,
                Responder(requestID: responder.requestID) { response in
                    var response = response
                    response.headers.add("Access-Control-Allow-Origin", origin)
                    response.headers.add("Vary", "Origin")
                    responder.respond(response)
                })
        }
    }

    // MARK: - Behind a proxy

    /// What an address says after the base path: nothing, a query, or a path; nil when it does not lie there.
    private func below(_ raw: String) -> Substring? {
        guard !rules.basePath.isEmpty, raw.hasPrefix(rules.basePath) else { return nil }
        let rest = raw.dropFirst(rules.basePath.count)
        return rest.first.map { $0 == "/" || $0 == "?" } ?? true ? rest : nil
    }
}
