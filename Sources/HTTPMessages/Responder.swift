import Synchronization

/// The promise of one answer; may be kept from any thread, now or much later.
///
/// The request is parked meanwhile and holds no thread. Dropped without an answer, it answers 500: a client must never
/// wait for something that nobody will send.
package final class Responder: Sendable {
    private struct State {
        var deliver: (@Sendable (Response) -> Void)?
        var onCancel: (@Sendable () -> Void)?
        var isCancelled = false
    }

    package let requestID: String
    private let state: Mutex<State>

    /// `deliver` is called once at most.
    package init(requestID: String = "-", deliver: @escaping @Sendable (Response) -> Void) {
        self.requestID = requestID
        state = Mutex(State(deliver: deliver))
    }

    deinit {
        guard let deliver = state.withLock({ $0.deliver.take() }) else { return }
        deliver(.failure(Responder.dropped, requestID: requestID))
    }

    /// Answers. A second answer is a mistake of ours: it stops a debug build and is ignored in a release build.
    package func respond(_ response: Response) {
        let (deliver, cancelled) = state.withLock { ($0.deliver.take(), $0.isCancelled) }
        state.withLock { $0.onCancel = nil }
        assert(deliver != nil || cancelled, "request \(requestID) was answered twice")
        deliver?(response)
    }

    package func respond(_ error: HTTPError) { respond(.failure(error, requestID: requestID)) }

    /// True once the client has gone or the server stops: work on the answer may be skipped.
    package var isCancelled: Bool { state.withLock { $0.isCancelled } }

    /// Called when the client goes before the answer, so that a long poll can leave the feed. Called at once if it has
    /// already gone; never after an answer; from the server's own thread, so it must not block.
    package func onCancel(_ action: @escaping @Sendable () -> Void) {
        let now = state.withLock { state in
            if state.isCancelled { return true }
            if state.deliver != nil { state.onCancel = action }
            return false
        }
        if now { action() }
    }

    /// For the server: nobody is waiting any more.
    package func cancel() {
        let action = state.withLock { state -> (@Sendable () -> Void)? in
            guard state.deliver != nil, !state.isCancelled else { return nil }
            state.isCancelled = true
            state.deliver = nil
            return state.onCancel.take()
        }
        action?()
    }

    private static let dropped = HTTPError(
        .internalError, "no_answer", "The server dropped this request without an answer.",
        remedy: "This is a defect; please report it with the request id.")
}
