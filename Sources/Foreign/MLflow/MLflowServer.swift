package import MartletDomain
package import MartletHTTPClient
import MartletHTTPMessages
package import MartletJSON

/// A server that speaks MLflow's REST API: MLflow's own, or another that took its place.
package final class MLflowServer: MLflowStore {
    package let place: String
    private let carry: (ClientRequest) throws(Refusal) -> ClientResponse

    /// `carry` sends a request whose address is a path, to wherever the API answers.
    package init(_ place: String, carry: @escaping (ClientRequest) throws(Refusal) -> ClientResponse) {
        (self.place, self.carry) = (place, carry)
    }

    package convenience init(
        _ address: String, authorization: String?, certificateAuthorities: String?, version: String
    ) {
        var place = address
        while place.hasSuffix("/") { place.removeLast() }
        var settings = HTTPClient.Settings()
        settings.userAgent = "martlet/\(version)"
        settings.totalSeconds = nil
        settings.certificateAuthorities = certificateAuthorities
        let client = HTTPClient(settings)
        self.init(place) { [place] request throws(Refusal) in
            var request = request
            request.url = place + request.url
            if let authorization { request.headers["Authorization"] = authorization }
            do throws(ClientError) { return try client.send(request) } catch {
                throw Refusal(.io, error.message, remedy: error.remedy)
            }
        }
    }

    // MARK: Asking

    func ask(_ method: Method, _ path: String, _ body: JSONObject? = nil) throws(Refusal) -> JSONObject {
        guard let answer = try askIfThere(method, path, body) else {
            throw Refusal(
                .notFound, "\(place) has no \(path).", remedy: "Check that a server of MLflow is at this address.")
        }
        return answer
    }

    /// Nil when the server, an older one, does not know the address.
    func askIfThere(_ method: Method, _ path: String, _ body: JSONObject? = nil) throws(Refusal) -> JSONObject? {
        var request = ClientRequest(method, path)
        if let body {
            request.body = .bytes(Array(JSONValue.object(body).text.utf8))
            request.headers["Content-Type"] = "application/json"
        }
        // Another Martlet tells infinities as they are; MLflow has none.
        request.headers["X-Martlet-Exact"] = "true"
        let answer = try carry(request)
        guard let value = try? JSONValue(parsing: answer.body, allowsNonFinite: true), let object = value.object else {
            if [404, 405, 501].contains(answer.status.code) { return nil }
            throw Refusal(
                .malformed, "\(place)\(path) answered with status \(answer.status.code) and no JSON.",
                remedy: "Check that a server of MLflow is at this address.")
        }
        guard answer.status.isSuccess else {
            let code = object["error_code"]?.string ?? ""
            if ["ENDPOINT_NOT_FOUND", "NOT_IMPLEMENTED"].contains(code) || answer.status.code == 405 { return nil }
            let message = object["message"]?.string ?? "status \(answer.status.code)"
            throw Refusal(
                answer.status.code == 401 ? .unauthenticated : .invalid, "\(place)\(path): \(message)",
                remedy: answer.status.code == 401
                    ? "Set MLFLOW_TRACKING_TOKEN, or MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD."
                    : "Look at the server's log.")
        }
        return object
    }

    /// Every page of a list.
    private func all(
        _ path: String, _ body: JSONObject, under key: String, isOptional: Bool = false
    ) throws(Refusal) -> [JSONValue] {
        var items: [JSONValue] = []
        var token: String?
        repeat {
            var query = body
            if let token { query["page_token"] = .string(token) }
            guard let page = try isOptional ? askIfThere(.post, path, query) : ask(.post, path, query) else {
                return []
            }
            items += page[key]?.array ?? []
            token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return items
    }

    static func query(_ items: [(String, String)]) -> String {
        items.map { PercentCoding.encode($0.0) + "=" + PercentCoding.encode($0.1) }.joined(separator: "&")
    }

    private static let api = "/api/2.0/mlflow"

    // MARK: What is there

    package func experiments() throws(Refusal) -> [JSONObject] {
        try all(
            "\(MLflowServer.api)/experiments/search",
            JSONObject(fields: [("max_results", .int(1000)), ("view_type", .string("ALL"))]), under: "experiments"
        ).compactMap(\.object)
    }

    package func runs(of experiment: String) throws(Refusal) -> [String] {
        try all(
            "\(MLflowServer.api)/runs/search",
            JSONObject(fields: [
                ("experiment_ids", .array([.string(experiment)])), ("run_view_type", .string("ALL")),
                ("max_results", .int(1000)), ("order_by", .array([.string("attributes.start_time ASC")])),
            ]), under: "runs"
        ).compactMap { $0["info"]?["run_id"]?.string }
    }

    package func run(_ id: String, of experiment: String) throws(Refusal) -> JSONObject {
        let answer = try ask(.get, "\(MLflowServer.api)/runs/get?\(MLflowServer.query([("run_id", id)]))")
        let (info, data) = (answer["run"]?["info"]?.object, answer["run"]?["data"]?.object)
        var run = info ?? JSONObject()
        for time in ["start_time", "end_time"] { run[time] = run[time]?.wholeNumber.map { .int($0) } }
        run["run_id"] = .string(id)
        run["params"] = data?["params"]
        run["tags"] = data?["tags"]
        run["metrics"] = data?["metrics"]
        let (inputs, outputs) = (answer["run"]?["inputs"], answer["run"]?["outputs"])
        run["dataset_inputs"] = inputs?["dataset_inputs"]
        run["model_inputs"] = inputs?["model_inputs"]
        run["model_outputs"] = outputs?["model_outputs"]
        return run
    }

    package func metrics(
        of run: JSONObject, in experiment: String, _ body: (String, MetricColumns) throws(Refusal) -> Void
    ) throws(Refusal) {
        let id = run["run_id"]?.string ?? ""
        for key in (run["metrics"]?.array ?? []).compactMap({ $0["key"]?.string }) {
            var columns = MetricColumns()
            var token: String?
            repeat {
                var query = [("run_id", id), ("metric_key", key), ("max_results", "25000")]
                if let token { query.append(("page_token", token)) }
                let page = try ask(.get, "\(MLflowServer.api)/metrics/get-history?\(MLflowServer.query(query))")
                for point in page["metrics"]?.array ?? [] {
                    guard let time = point["timestamp"]?.wholeNumber, let value = point["value"]?.anyNumber else {
                        columns.problems.append(
                            "a point of the metric “\(key)” cannot be read: \(point.text.prefix(80))")
                        continue
                    }
                    columns.append(step: point["step"]?.wholeNumber ?? 0, time: time, value: value)
                }
                token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
            } while token != nil
            try body(key, columns)
        }
    }

    package func stamp(of run: String, in experiment: String) -> String? { nil }

    /// The latest of each metric: a server does not tell how many there are.
    package func mark(of run: JSONObject, in experiment: String) -> String {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for byte in (run["metrics"] ?? .null).text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
        return "latest \(String(hash, radix: 16))"
    }

    package func registeredModels() throws(Refusal) -> [JSONObject] {
        var models: [JSONObject] = []
        var token: String?
        repeat {
            var query = [("max_results", "100")]
            if let token { query.append(("page_token", token)) }
            let path = "\(MLflowServer.api)/registered-models/search?\(MLflowServer.query(query))"
            guard let page = try askIfThere(.get, path) else { return [] }
            for var model in (page["registered_models"]?.array ?? []).compactMap(\.object) {
                model["versions"] = .array(try versions(of: model))
                model["latest_versions"] = nil
                models.append(MLflowServer.timed(model))
            }
            token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return models
    }

    private func versions(of model: JSONObject) throws(Refusal) -> [JSONValue] {
        let name = model["name"]?.string ?? ""
        var aliases: [String: [JSONValue]] = [:]
        for alias in model["aliases"]?.array ?? [] {
            let version = alias["version"]?.asText ?? ""
            if let word = alias["alias"] { aliases[version, default: []].append(word) }
        }
        let filter = "name='\(name.replacing("'", with: "''"))'"
        var versions: [JSONValue] = []
        var token: String?
        repeat {
            var query = [("filter", filter), ("max_results", "1000")]
            if let token { query.append(("page_token", token)) }
            let page = try ask(.get, "\(MLflowServer.api)/model-versions/search?\(MLflowServer.query(query))")
            for var version in (page["model_versions"]?.array ?? []).compactMap(\.object) {
                version["version"] = version["version"]?.asText.map { .string($0) }
                version["aliases"] = aliases[version["version"]?.string ?? ""].map { .array($0) }
                versions.append(.object(MLflowServer.timed(version)))
            }
            token = page["next_page_token"]?.string.flatMap { $0.isEmpty ? nil : $0 }
        } while token != nil
        return versions.sorted { Int($0["version"]?.string ?? "") ?? 0 < Int($1["version"]?.string ?? "") ?? 0 }
    }

    private static func timed(_ object: JSONObject) -> JSONObject {
        var object = object
        for time in ["creation_timestamp", "last_updated_timestamp"] {
            object[time] = object[time]?.wholeNumber.map { .int($0) }
        }
        return object
    }

    package func loggedModels(of experiment: String) throws(Refusal) -> [JSONObject] {
        try all(
            "\(MLflowServer.api)/logged-models/search",
            JSONObject(fields: [("experiment_ids", .array([.string(experiment)])), ("max_results", .int(50))]),
            under: "models", isOptional: true
        ).map { found throws(Refusal) in
            let id = found["info"]?["model_id"]?.string ?? ""
            // The search shows the latest numbers, the model itself all of them.
            let answer = try ask(.get, "\(MLflowServer.api)/logged-models/\(PercentCoding.encode(id))")
            var model = answer["model"]?["info"]?.object ?? JSONObject()
            for time in ["creation_timestamp_ms", "last_updated_timestamp_ms"] {
                model[time] = model[time]?.wholeNumber.map { .int($0) }
            }
            model["params"] = answer["model"]?["data"]?["params"]
            model["metrics"] = .array(
                (answer["model"]?["data"]?["metrics"]?.array ?? []).compactMap(\.object).map { metric in
                    var metric = metric
                    for field in ["timestamp", "step"] { metric[field] = metric[field]?.wholeNumber.map { .int($0) } }
                    return .object(metric)
                })
            return model
        }
    }

    package func traces(of experiment: String, _ body: (JSONObject) throws(Refusal) -> Void) throws(Refusal) {
        let place: JSONValue = [
            "type": "MLFLOW_EXPERIMENT", "mlflow_experiment": ["experiment_id": .string(experiment)],
        ]
        let found = try all(
            "/api/3.0/mlflow/traces/search", ["locations": .array([place]), "max_results": 100], under: "traces",
            isOptional: true)
        for info in found.compactMap(\.object) {
            let id = info["trace_id"]?.string ?? ""
            let query = MLflowServer.query([("trace_id", id), ("allow_partial", "true")])
            var trace = info
            do throws(Refusal) {
                let answer = try askIfThere(.get, "/api/3.0/mlflow/traces/get?\(query)")
                trace["spans"] = answer?["trace"]?["spans"]
            } catch {
                // Spans of old traces lie among the artifacts.
                let query = MLflowServer.query([("request_id", id)])
                let answer = try? askIfThere(.get, "/ajax-api/2.0/mlflow/get-trace-artifact?\(query)")
                trace["spans"] = answer?["spans"]
            }
            try body(trace)
        }
    }

    // MARK: Artifacts

    package func files(at location: String, of owner: ArtifactOwner) throws(Refusal) -> [ForeignFile]? {
        if location.hasPrefix("mlflow-artifacts:") {
            var path = location.dropFirst("mlflow-artifacts:".count)
            if path.hasPrefix("//") { path = path.dropFirst(2).drop { $0 != "/" } }
            let root = String(path.drop { $0 == "/" })
            return try tree { folder throws(Refusal) in
                let query = MLflowServer.query([("path", folder.isEmpty ? root : "\(root)/\(folder)")])
                let page = try askIfThere(.get, "/api/2.0/mlflow-artifacts/artifacts?\(query)")
                // Only the last step of the path is told.
                return page.map { MLflowServer.files($0).map { (MLflowServer.join(folder, $0.path), $0.file) } }
            } address: {
                "/api/2.0/mlflow-artifacts/artifacts/\(MLflowServer.escaped("\(root)/\($0)"))"
            }
        }
        do throws(Refusal) {
            switch owner.kind {
            case .run:
                return try tree { folder throws(Refusal) in
                    var query = [("run_id", owner.id)]
                    if !folder.isEmpty { query.append(("path", folder)) }
                    let page = try askIfThere(.get, "\(MLflowServer.api)/artifacts/list?\(MLflowServer.query(query))")
                    return page.map(MLflowServer.files)
                } address: {
                    "/get-artifact?\(MLflowServer.query([("path", $0), ("run_uuid", owner.id)]))"
                }
            case .loggedModel:
                let model = "\(PercentCoding.encode(owner.id))/artifacts"
                return try tree { folder throws(Refusal) in
                    let query = folder.isEmpty ? "" : MLflowServer.query([("artifact_directory_path", folder)])
                    let page = try askIfThere(.get, "\(MLflowServer.api)/logged-models/\(model)/directories?\(query)")
                    return page.map(MLflowServer.files)
                } address: {
                    let query = MLflowServer.query([("artifact_file_path", $0)])
                    return "/ajax-api/2.0/mlflow/logged-models/\(model)/files?\(query)"
                }
            case .trace: return nil
            }
        } catch {
            // The server cannot open the place itself.
            return nil
        }
    }

    private static func files(_ page: JSONObject) -> [(path: String, file: JSONObject)] {
        (page["files"]?.array ?? []).compactMap(\.object).map { ($0["path"]?.string ?? "", $0) }
    }

    private func tree(
        _ list: (String) throws(Refusal) -> [(path: String, file: JSONObject)]?, address: (String) -> String
    ) throws(Refusal) -> [ForeignFile]? {
        var found: [ForeignFile] = []
        var waiting = [""]
        while let folder = waiting.popLast() {
            guard let entries = try list(folder) else { return folder.isEmpty ? nil : found }
            for (path, file) in entries {
                if file["is_dir"]?.bool == true {
                    waiting.append(path)
                } else {
                    found.append(
                        ForeignFile(
                            path: path, size: file["file_size"]?.wholeNumber ?? 0, place: .address(address(path))))
                }
            }
        }
        return found.sorted { $0.path < $1.path }
    }

    private static func join(_ folder: String, _ path: String) -> String {
        let name = path.split(separator: "/").last.map(String.init) ?? path
        return folder.isEmpty ? name : "\(folder)/\(name)"
    }

    private static func escaped(_ path: String) -> String {
        path.split(separator: "/").map { PercentCoding.encode(String($0)) }.joined(separator: "/")
    }

    package func fetch(_ address: String, to path: String) throws(Refusal) {
        var request = ClientRequest(.get, address)
        request.destination = .file(path: path)
        let answer = try carry(request)
        guard answer.status.isSuccess else {
            throw Refusal(
                .io, "\(place)\(address) answered with status \(answer.status.code).",
                remedy: "Look at the server's log.")
        }
    }
}

extension JSONValue {
    /// Protobuf writes whole numbers of 64 bits as texts.
    var wholeNumber: Int64? { int64 ?? string.flatMap { Int64($0) } ?? double.map { Int64($0) } }

    var anyNumber: Double? {
        if let double { return double }
        return string.flatMap { MetricFile.number(Substring($0)) }
    }
}
