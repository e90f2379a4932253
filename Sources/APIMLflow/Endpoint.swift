import MartletDomain
import MartletHTTPMessages

/// One address and method of MLflow's protocol, and what it does.
struct Endpoint: Sendable {
    var method: Method
    /// From the version on, as in `2.0/mlflow/runs/create`; a part in braces takes any one segment, `{…path}` the rest.
    var path: String
    var handler: EndpointHandler

    init(_ method: Method, _ path: String, _ handler: EndpointHandler) {
        (self.method, self.path, self.handler) = (method, path, handler)
    }

    /// Reads only: answered on a worker with what the closure gives back.
    static func read(
        _ method: Method, _ path: String, _ body: @escaping @Sendable (Call, Message) throws(Refusal) -> Response
    ) -> Endpoint {
        Endpoint(method, path, .read(body))
    }

    /// Changes something: the closure hands the change to the engine, and the answer comes when it is on disk.
    static func change(
        _ method: Method, _ path: String, _ body: @escaping @Sendable (Call, Message) throws(Refusal) -> Void
    ) -> Endpoint {
        Endpoint(
            method, path, .change { call, bytes throws(Refusal) in try body(call, try Message(call.request, bytes)) })
    }
}

enum EndpointHandler: Sendable {
    case read(@Sendable (Call, Message) throws(Refusal) -> Response)
    /// Given the body as it came, for what is too hot to become values first.
    case change(@Sendable (Call, [UInt8]) throws(Refusal) -> Void)
    /// The same for what takes seconds.
    case slowChange(@Sendable (Call, [UInt8]) throws(Refusal) -> Void)
    /// An upload in constant memory.
    case upload(@Sendable (Call) -> any BodySink)

    /// More than any honest body: a batch has at most a megabyte, a traced conversation may have more.
    private static let bodyMax = 32 << 20

    func plan(_ call: Call) -> Plan {
        switch self {
        case .read(let body):
            .collect(limit: EndpointHandler.bodyMax, on: .worker) { request, bytes, responder in
                call.attach(responder)
                do throws(Refusal) {
                    call.respond(try body(call, try Message(request, bytes)))
                } catch {
                    call.fail(error)
                }
            }
        case .change(let body): changing(call, on: .worker, body)
        case .slowChange(let body): changing(call, on: .slow, body)
        case .upload(let make): .stream(to: make(call), on: .worker)
        }
    }

    private func changing(
        _ call: Call, on lane: MartletHTTPMessages.Lane,
        _ body: @escaping @Sendable (Call, [UInt8]) throws(Refusal) -> Void
    ) -> Plan {
        .collect(limit: EndpointHandler.bodyMax, on: lane) { _, bytes, responder in
            call.attach(responder)
            do throws(Refusal) { try body(call, bytes) } catch { call.fail(error) }
        }
    }
}

/// Finds the endpoint of a request. Most addresses are fixed and found by one look into a table.
struct EndpointTable: Sendable {
    enum Outcome {
        case found(Endpoint, [String: String])
        case wrongMethod([String])
        case notFound
    }

    private struct Template: Sendable {
        var parts: [String]
        var endpoints: [String: Endpoint]
    }

    private var fixed: [String: [String: Endpoint]] = [:]
    private var templates: [Template] = []

    init(_ endpoints: [Endpoint]) {
        for endpoint in endpoints {
            guard endpoint.path.contains("{") else {
                fixed[endpoint.path, default: [:]][endpoint.method.rawValue] = endpoint
                continue
            }
            let parts = endpoint.path.split(separator: "/").map(String.init)
            if let known = templates.firstIndex(where: { $0.parts == parts }) {
                templates[known].endpoints[endpoint.method.rawValue] = endpoint
            } else {
                templates.append(Template(parts: parts, endpoints: [endpoint.method.rawValue: endpoint]))
            }
        }
    }

    func find(_ request: Request) -> Outcome {
        // Clients join addresses without care: `//get-artifact` is meant as one slash.
        var segments = request.segments.drop(while: \.isEmpty)
        if segments.first == "api" || segments.first == "ajax-api" { segments = segments.dropFirst() }
        var offered: (endpoints: [String: Endpoint], values: [String: String])?
        if let fixed = fixed[segments.joined(separator: "/")] {
            offered = (fixed, [:])
        } else {
            for template in templates where offered == nil {
                offered = EndpointTable.values(of: template.parts, in: segments).map { (template.endpoints, $0) }
            }
        }
        guard let (endpoints, values) = offered else { return .notFound }
        let method = request.method == .head ? Method.get.rawValue : request.method.rawValue
        if let endpoint = endpoints[method] { return .found(endpoint, values) }
        return .wrongMethod(endpoints.keys.sorted())
    }

    private static func values(of parts: [String], in segments: ArraySlice<String>) -> [String: String]? {
        var values: [String: String] = [:]
        var rest = segments
        for part in parts {
            if part.hasPrefix("{…") {
                guard !rest.isEmpty else { return nil }
                values[String(part.dropFirst(2).dropLast())] = rest.joined(separator: "/")
                return values
            }
            guard let segment = rest.popFirst() else { return nil }
            if part.hasPrefix("{") {
                guard !segment.isEmpty else { return nil }
                values[String(part.dropFirst().dropLast())] = segment
            } else if part != segment {
                return nil
            }
        }
        return rest.isEmpty ? values : nil
    }
}
