import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletObservability
import MartletStorage
import Synchronization

/// One request on its way through an endpoint.
final class Call: Sendable {
    let api: MLflowAPI
    let request: Request
    private let values: [String: String]
    /// Whose signature the address carries, where it carries one.
    private let signer: String?
    private let responder = Mutex<Responder?>(nil)

    init(api: MLflowAPI, request: Request, values: [String: String], signer: String? = nil) {
        (self.api, self.request, self.values, self.signer) = (api, request, values, signer)
    }

    /// The same request on behalf of who signed its address. It answers nobody: that is for the one that came.
    func signed(by name: String) -> Call { Call(api: api, request: request, values: values, signer: name) }

    var engine: Engine { api.engine }

    /// A part of the path.
    subscript(part: String) -> String { values[part] ?? "" }

    func caller() throws(Refusal) -> Caller {
        if let signer { return try api.authority.caller(signing: signer, requestID: request.id, via: "mlflow") }
        var proxyUser: String?
        if case .proxy(let header, _) = api.authority.mode { proxyUser = request.headers[header] }
        return try api.authority.caller(
            Credentials(
                authorization: request.headers["authorization"], session: request.cookies["martlet_session"],
                proxyUser: proxyUser, remoteAddress: request.remoteAddress),
            requestID: request.id, via: "mlflow")
    }

    /// The one project that a client of MLflow sees: the one that it names as its workspace, else the default one.
    func project(_ reader: any StoreReader) throws(Refusal) -> Project {
        let named = request.headers["x-mlflow-workspace"]
        if named == nil, let standard = try reader.project(.standard), standard.life == .active { return standard }
        return try reader.resolveProject(named ?? "id:\(ProjectID.standard)", for: try caller())
    }

    // MARK: Answers

    func attach(_ responder: Responder) { self.responder.withLock { $0 = responder } }

    func respond(_ response: Response) {
        let responder = responder.withLock { $0.take() }
        responder?.respond(response)
    }

    func fail(_ error: Refusal) { respond(failure(error)) }

    func failure(_ error: Refusal) -> Response {
        if let cause = error.cause {
            engine.log.warning("\(error.message) \(cause)", ("request", request.id))
        }
        return MLflowFailure.response(error)
    }

    /// A change and the answer that is made in its transaction.
    func change(
        _ priority: WritePriority = .live, bytes: Int = 512,
        _ body: @escaping @Sendable (Ledger, Caller) throws(Refusal) -> [UInt8]
    ) throws(Refusal) {
        let caller = try caller()
        engine.change(caller, priority, bytes: bytes) { ledger throws(Refusal) in
            try body(ledger, caller)
        } then: { [self] result in
            switch result {
            case .success(let answer): respond(.json(answer))
            case .failure(let error): fail(error)
            }
        }
    }

    static let empty = Array("{}".utf8)
}

/// An answer as JSON. MLflow writes NaN as the string, and the infinities never: see `mlflowNumber`.
func encoded(_ body: (inout JSONWriter) throws(Refusal) -> Void) throws(Refusal) -> [UInt8] {
    var writer = JSONWriter(capacity: 512)
    try body(&writer)
    return writer.bytes
}
