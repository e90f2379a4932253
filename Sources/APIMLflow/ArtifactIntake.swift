import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletStorage
import Synchronization

/// One file on its way in. Where it goes is decided before a byte is taken; only when its bytes are on disk is it put
/// down, and only then is the client answered.
final class ArtifactIntake: BodySink {
    /// On whose behalf it comes; by default, on its sender's.
    typealias Opening = @Sendable (Call) throws(Refusal) -> Call
    typealias Resolve = @Sendable (Call, any StoreReader) throws(Refusal) -> ArtifactTarget

    /// What a page of MLflow's own may send.
    struct Rules: Sendable {
        var bytesMax: Int?
        var takesEmpty = true
    }

    private struct State: Sendable {
        var deposit: ArtifactDeposit?
        var target: ArtifactTarget?
        var call: Call?
        var count = 0
    }

    private let call: Call
    private let rules: Rules
    private let resolve: Resolve
    private let opening: Opening
    /// What a client of MLflow gets back.
    private let answer: Response
    private let state = Mutex(State())

    init(
        _ call: Call, _ rules: Rules = Rules(), answer: Response, _ resolve: @escaping Resolve,
        opening: @escaping Opening = { call throws(Refusal) in call }
    ) {
        (self.call, self.rules, self.answer) = (call, rules, answer)
        (self.resolve, self.opening) = (resolve, opening)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        do throws(Refusal) {
            let (deposit, count) = try begin(adding: bytes.count)
            try checkSize(count)
            try deposit.write(bytes)
            return nil
        } catch {
            abort()
            return call.failure(error)
        }
    }

    func finish(_ responder: Responder) {
        call.attach(responder)
        do throws(Refusal) {
            // A file may be empty: then no piece has come.
            let (deposit, count) = try begin(adding: 0)
            if count == 0, !rules.takesEmpty { throw .mlflow("Request must specify data.") }
            let (known, sender) = state.withLock { ($0.target, $0.call) }
            guard let target = known, let sender else { return }
            try deposit.keep(at: target, sender) { [call, answer] result in
                switch result {
                case .success: call.respond(answer)
                case .failure(let error): call.fail(error)
                }
            }
        } catch {
            abort()
            call.fail(error)
        }
    }

    func abort() { state.withLock { $0.deposit.take() }?.abort() }

    private func begin(adding more: Int) throws(Refusal) -> (ArtifactDeposit, Int) {
        let open = state.withLock { state -> (ArtifactDeposit, Int)? in
            state.count += more
            return state.deposit.map { ($0, state.count) }
        }
        if let open { return open }
        let call = try opening(call)
        let target = try call.engine.read { (reader: any StoreReader) throws(Refusal) in try resolve(call, reader) }
        if let length = call.request.contentLength { try checkSize(length) }
        let deposit = try ArtifactDeposit.begin(target, size: call.request.contentLength, call)
        let count = state.withLock { state in
            (state.deposit, state.target, state.call) = (deposit, target, call)
            return state.count
        }
        return (deposit, count)
    }

    private func checkSize(_ size: Int) throws(Refusal) {
        guard let limit = rules.bytesMax, size > limit else { return }
        throw .mlflow("Artifact size is too large. Max size is \(limit >> 20)MB.")
    }
}
