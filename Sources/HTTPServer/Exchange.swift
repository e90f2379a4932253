import CMicroHTTPD
import Glibc
import MartletHTTPMessages
import Synchronization

/// One request and its answer: the meeting point of the event thread that owns the connection, the thread that answers,
/// and the reaper.
///
/// MHD's rules decide the shape: a connection may be suspended only by its event thread inside a callback, and be
/// resumed by anybody, once. `parking` says that it is suspended and why; whoever sets it back under the lock is the one
/// who resumes. Lock order: an exchange's lock is taken before a stream's or a pump's, never after.
final class Exchange: Sendable {
    enum Parking { case no, answer, room, stream }

    private struct State {
        var parking = Parking.no
        var parkedAt = 0
        /// MHD has let go of the request.
        var isOver = false
        /// The peer has gone or must go: the event thread shall drop the connection.
        var isGone = false
        var isAnswered = false
        var answer: Answer?
        var stream: (any StreamBody)?
        weak var responder: Responder?
    }

    let server: HTTPServer
    let connection: Connection
    let mhd: OpaquePointerBox
    private let state = Mutex(State())

    /// Set once by the event thread, before anyone else knows of the exchange.
    nonisolated(unsafe) var request: Request?

    /// What only the connection's event thread touches.
    struct EventSide {
        enum Stage {
            case fresh
            /// Read and forget the body, then answer.
            case discard(Response)
            case collect(limit: Int, Lane, @Sendable (Request, [UInt8], Responder) -> Void)
            case stream(BodyPump)
            case upgrade(any WebSocketHandler, accept: String)
            case waiting
            case answered
        }

        var stage = Stage.fresh
        var rawTarget: String
        var body: [UInt8] = []
        var bytesIn = 0
        var bodyStart = 0
        var pump: BodyPump?
        var startedMicroseconds: Int
        var status = 0
        var length: Int?
        var isUpgraded = false
        var parkedForRoomAt = 0
    }
    nonisolated(unsafe) var event: EventSide

    /// MHD's handle; its pointer is only used while MHD keeps the connection, which parking guarantees.
    struct OpaquePointerBox: @unchecked Sendable { let pointer: OpaquePointer }

    init(server: HTTPServer, connection: Connection, mhd: OpaquePointer, rawTarget: String) {
        self.server = server
        self.connection = connection
        self.mhd = OpaquePointerBox(pointer: mhd)
        event = EventSide(rawTarget: rawTarget, startedMicroseconds: Machine.microseconds())
    }

    // MARK: Answering, from any thread

    func makeResponder() -> Responder {
        let responder = Responder(requestID: request?.id ?? "-") { [self] in deliver($0) }
        state.withLock { $0.responder = responder }
        return responder
    }

    func deliver(_ response: Response) {
        let answer = Answer(request.map { PackedAnswer.make(response, for: $0) } ?? response, for: self)
        let (accepted, resume) = state.withLock { state -> (Bool, Bool) in
            guard !state.isOver, !state.isAnswered, !state.isGone else { return (false, false) }
            state.isAnswered = true
            state.answer = answer
            guard state.parking == .answer else { return (true, false) }
            state.parking = .no
            return (true, true)
        }
        if !accepted { answer.stream?.disconnected() }
        if resume { MHD_resume_connection(mhd.pointer) }
    }

    // MARK: Parking, on the event thread

    enum Outcome { case answer(Answer), parked, gone }

    /// The answer if it is there; else the connection is suspended until it comes.
    func awaitAnswer() -> Outcome {
        state.withLock { state in
            if let answer = state.answer {
                state.answer = nil
                state.stream = answer.stream
                return .answer(answer)
            }
            if state.isGone || server.isHalting { return .gone }
            park(.answer, &state)
            return .parked
        }
    }

    /// Waits until the sink has caught up, unless it has meanwhile.
    func awaitRoom(_ pump: BodyPump) -> Bool {
        state.withLock { state in
            if state.isGone || server.isHalting { return false }
            if pump.mustPark() { park(.room, &state) }
            return true
        }
    }

    func readOrPark(_ stream: any StreamBody, _ target: UnsafeMutableRawBufferPointer) -> EventStream.Piece {
        state.withLock { state in
            let piece = stream.read(into: target)
            guard piece == .nothingYet else { return piece }
            if state.isGone || server.isHalting { return .failed }
            park(.stream, &state)
            return .nothingYet
        }
    }

    private func park(_ why: Parking, _ state: inout State) {
        MHD_suspend_connection(mhd.pointer)
        state.parking = why
        state.parkedAt = Machine.milliseconds()
    }

    /// Resumes a connection that waits for this; does nothing otherwise.
    func unpark(_ why: Parking) {
        let resume = state.withLock { state in
            guard state.parking == why else { return false }
            state.parking = .no
            return true
        }
        if resume { MHD_resume_connection(mhd.pointer) }
    }

    // MARK: Ends

    /// The peer has gone while nobody was looking at its socket.
    func dropParked() {
        let (resume, responder, stream) = state.withLock { state -> (Bool, Responder?, (any StreamBody)?) in
            guard state.parking != .no, !state.isOver else { return (false, nil, nil) }
            state.parking = .no
            state.isGone = true
            return (true, state.responder, state.stream)
        }
        guard resume else { return }
        connection.cut()
        responder?.cancel()
        stream?.disconnected()
        MHD_resume_connection(mhd.pointer)
    }

    /// The answer took too long, or the server stops: 503 in its place.
    func giveUp(_ error: HTTPError) {
        let (parking, responder, stream) = state.withLock { ($0.parking, $0.responder, $0.stream) }
        switch parking {
        case .answer:
            deliver(.failure(error, requestID: request?.id ?? "-"))
            responder?.cancel()
        case .stream: stream?.wrapUp()
        case .room: dropParked()
        case .no: break
        }
    }

    /// How long it has been suspended, in milliseconds; nil when it is not.
    func parkedFor(now: Int) -> Int? {
        state.withLock { $0.parking == .no ? nil : now - $0.parkedAt }
    }

    var stream: (any StreamBody)? { state.withLock { $0.stream } }

    /// MHD lets go of the request: whatever waits on it is told.
    func finished() {
        let (responder, stream) = state.withLock { state -> (Responder?, (any StreamBody)?) in
            state.isOver = true
            state.answer = nil
            defer { state.stream = nil }
            return (state.responder, state.stream)
        }
        event.pump?.abort()
        responder?.cancel()
        stream?.disconnected()
    }
}
