import MartletHTTPMessages
import Synchronization

/// Carries an upload from the event thread to a sink that may block.
///
/// While the sink writes one batch, the next one grows; when the two hold `roomBytes`, the connection is parked and the
/// client's own socket buffer holds it back. Memory is bounded for a file of any size.
final class BodyPump: Sendable {
    private static let roomBytes = 1 << 20

    private struct State {
        var filling: [UInt8] = []
        /// Bytes in `filling` and in the batch that the sink has.
        var held = 0
        var isDraining = false
        var isParked = false
        /// Set with the end of the body.
        var responder: Responder?
        var isAborted = false
        /// Nothing more goes to the sink.
        var isOver = false
        var refusal: Response?
    }

    private let sink: any BodySink
    private let pool: WorkerPool
    private let state = Mutex(State())

    init(_ sink: any BodySink, pool: WorkerPool) {
        self.sink = sink
        self.pool = pool
    }

    enum Taken { case more, full, refused(Response) }

    /// Event thread: the next piece.
    func take(_ bytes: UnsafeRawBufferPointer) -> Taken {
        let (taken, start) = state.withLock { state -> (Taken, Bool) in
            if let refusal = state.refusal { return (.refused(refusal), false) }
            state.filling.append(contentsOf: bytes)
            state.held += bytes.count
            let start = !state.isDraining
            state.isDraining = true
            return (state.held >= BodyPump.roomBytes ? .full : .more, start)
        }
        if start { submit() }
        return taken
    }

    /// Event thread, under the exchange's lock: true when the connection must wait for room.
    func mustPark() -> Bool {
        state.withLock { state in
            state.isParked = state.held >= BodyPump.roomBytes && state.refusal == nil && !state.isOver
            return state.isParked
        }
    }

    /// Event thread: the body is complete.
    func end(_ responder: Responder) {
        let (refusal, start) = state.withLock { state -> (Response?, Bool) in
            if let refusal = state.refusal { return (refusal, false) }
            state.responder = responder
            let start = !state.isDraining
            state.isDraining = true
            return (nil, start)
        }
        if let refusal { responder.respond(refusal) }
        if start { submit() }
    }

    /// Event thread: the request is over. Without its end having been seen, the sink is told to let go.
    func abort() {
        let start = state.withLock { state in
            guard !state.isOver, state.responder == nil else { return false }
            state.isAborted = true
            let start = !state.isDraining
            state.isDraining = true
            return start
        }
        if start { submit() }
    }

    /// Called with the pump's owner to be woken when there is room again.
    func onRoom(_ action: @escaping @Sendable () -> Void) { roomAction.withLock { $0 = action } }
    private let roomAction = Mutex<(@Sendable () -> Void)?>(nil)

    private func submit() {
        // The pool refuses only when it has stopped; the sink still has to let go.
        if !pool.submit(always: true, { [self] in drain() }) {
            let mine = state.withLock { state in
                defer { state.isOver = true }
                return !state.isOver
            }
            if mine { sink.abort() }
        }
    }

    private enum Step {
        case write([UInt8])
        case finish(Responder)
        case abort
        case rest
    }

    private func drain() {
        while true {
            let step = state.withLock { state -> Step in
                if state.isOver {
                    state.isDraining = false
                    return .rest
                }
                if state.isAborted {
                    state.isOver = true
                    return .abort
                }
                if !state.filling.isEmpty {
                    var batch: [UInt8] = []
                    swap(&batch, &state.filling)
                    return .write(batch)
                }
                state.isDraining = false
                guard let responder = state.responder else { return .rest }
                state.isOver = true
                return .finish(responder)
            }
            switch step {
            case .write(let batch): write(batch)
            case .finish(let responder):
                sink.finish(responder)
                return
            case .abort:
                sink.abort()
                return
            case .rest: return
            }
        }
    }

    private func write(_ batch: [UInt8]) {
        let refusal = batch.withUnsafeBytes { sink.write($0) }
        let (wake, responder) = state.withLock { state -> (Bool, Responder?) in
            state.held -= batch.count
            if let refusal {
                state.refusal = refusal
                state.isOver = true
                state.filling = []
                state.held = 0
            }
            let wake = state.isParked && state.held < BodyPump.roomBytes
            if wake { state.isParked = false }
            return (wake, refusal == nil ? nil : state.responder)
        }
        if let refusal, let responder { responder.respond(refusal) }
        if wake { roomAction.withLock { $0 }?() }
    }
}
