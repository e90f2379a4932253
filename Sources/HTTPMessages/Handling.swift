// HTTPMessages: requests and responses as values, and the protocols between a server and the routes that answer it.
// There is no socket here, so a surface is tested by handing a Request to its router. HTTPServer brings the sockets.

/// A router: says what shall happen with a request as soon as its head is there.
package protocol RequestHandler: Sendable {
    /// Called on an event thread and therefore never blocks: look at the head, choose a plan, return.
    func handle(_ head: Request) -> Plan
}

/// How a request is to be read and answered.
package enum Plan: Sendable {
    /// At once, without reading the body: 404, 405, 413, 401, or a small answer that is already in memory.
    case respond(Response)
    /// The body in memory, at most `limit` bytes (beyond it the client gets 413), then the closure on its lane.
    case collect(limit: Int, on: Lane, then: @Sendable (Request, [UInt8], Responder) -> Void)
    /// The body piece by piece, in constant memory.
    case stream(to: any BodySink, on: Lane)
    /// A WebSocket, or 426 when the request asks for none.
    case upgrade(any WebSocketHandler)
}

/// Where a closure runs.
package enum Lane: Sendable, Hashable {
    /// Inline on the event thread: only for what never waits, not for a lock held across I/O either.
    case event
    /// The bounded pool for reads of the store.
    case worker
    /// Two threads for what takes seconds: reports, exports, checks.
    case slow
}

/// Takes an upload in pieces.
///
/// The calls come from one lane's threads, one at a time and in order, and may block: the client is held back when the
/// sink is slower than the network. Exactly one of `finish`, `abort` or a response from `write` is the last call.
package protocol BodySink: AnyObject, Sendable {
    /// Takes the next piece (valid during the call only). A response ends the upload at once with that answer.
    func write(_ bytes: UnsafeRawBufferPointer) -> Response?
    /// The body is complete; answer through the responder, now or later.
    func finish(_ responder: Responder)
    /// The client vanished, was too slow, or the server stops: let go of everything.
    func abort()
}
