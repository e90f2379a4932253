import CMicroHTTPD
import Glibc
import MartletCompression
import MartletHTTPMessages

// A request's way from its head to its answer, on the event thread.
extension HTTPServer {
    /// The head is there: understand it, ask the handler for a plan, and prepare to carry it out.
    func begin(
        _ exchange: Exchange, _ mhd: OpaquePointer, _ method: UnsafePointer<CChar>, _ version: UnsafePointer<CChar>
    ) -> MHD_Result {
        let headers = HTTPServer.headers(mhd)
        let http: Request.Version = strcmp(version, "HTTP/1.0") == 0 ? .http10 : .http11
        let id = requestIDs.id(for: headers)
        let method = Method(rawValue: String(cString: method))
        let peer = exchange.connection.peer
        let isTLS = options.tls != nil
        do throws(HTTPError) {
            let target = try Target(exchange.event.rawTarget)
            exchange.request = Request(
                method, target, version: http, headers: headers, remoteAddress: peer, isTLS: isTLS, id: id)
        } catch {
            // An answer needs an id and a method, so the request goes on with an innocent target.
            if let target = try? Target("/") {
                exchange.request = Request(
                    method, target, version: http, headers: headers, remoteAddress: peer, isTLS: isTLS, id: id)
            }
            return refuse(error, exchange)
        }
        guard let request = exchange.request else { return .NO }
        if let fault = HeadCheck.fault(in: headers, version: http, limits: limits) { return refuse(fault, exchange) }
        if isDraining { return refuse(HTTPServer.stopping, exchange) }

        let length = request.contentLength ?? 0
        let isChunked = headers.contains("transfer-encoding")
        let hasBody = length > 0 || isChunked
        let expectation = headers["expect"]
        if let expectation, !asciiCaseInsensitiveEqual(expectation, "100-continue") {
            return refuse(
                HTTPError(
                    417, "bad_expectation", "This server cannot meet “Expect: \(expectation.prefix(40))”.",
                    remedy: "Leave the Expect header out."), exchange)
        }
        let isPacked = hasBody && !PackedBody.codings(headers).isEmpty
        let plan = handler.handle(isPacked ? PackedBody.plain(request) : request)
        var coding: ContentCoding?
        do throws(HTTPError) {
            if isPacked { coding = try PackedBody.coding(headers) }
        } catch {
            switch plan {
            // These answer whatever the body may be.
            case .respond, .upgrade: break
            case .collect: return refuse(error, exchange, ["Accept-Encoding": PackedBody.spoken])
            case .stream(let sink, _):
                sink.abort()
                return refuse(error, exchange, ["Accept-Encoding": PackedBody.spoken])
            }
        }
        switch plan {
        case .respond(let response):
            let canSkip = !isChunked && expectation == nil && length <= limits.discardBytes
            if hasBody && !canSkip { return queue(response, exchange, refusing: true) }
            exchange.event.stage = .discard(response)
        case .collect(let limit, let lane, let then):
            if length > limit { return refuse(HTTPServer.tooLarge(limit), exchange) }
            if length > 0 { exchange.event.body.reserveCapacity(min(length, 1 << 20)) }
            var work = then
            if let coding {
                let rules = UnpackingRules(bytesMax: min(limit, limits.unpackedBytes), ratioMax: limits.unpackedRatio)
                work = PackedBody.unpacking(coding, rules, then)
            }
            exchange.event.stage = .collect(limit: limit, lane, work)
        case .stream(var sink, let lane):
            if let coding {
                let rules = UnpackingRules(bytesMax: .max, ratioMax: limits.unpackedRatio)
                do throws(HTTPError) { sink = try UnpackingSink(sink, coding, rules, requestID: request.id) } catch {
                    sink.abort()
                    return refuse(error, exchange)
                }
            }
            let pump = BodyPump(sink, pool: pool(lane))
            pump.onRoom { [weak exchange] in exchange?.unpark(.room) }
            exchange.event.pump = pump
            exchange.event.stage = .stream(pump)
        case .upgrade(let handler):
            switch WebSocketHandshake.check(request) {
            case .accept(let accept): exchange.event.stage = .upgrade(handler, accept: accept)
            case .refuse(let response):
                if hasBody { return queue(response, exchange, refusing: true) }
                exchange.event.stage = .discard(response)
            }
        }
        if hasBody {
            let now = Machine.milliseconds()
            exchange.event.bodyStart = now
            exchange.connection.enter(.body, deadline: now + Int(limits.headerSeconds * 1000))
        }
        return .YES
    }

    /// A piece of the body.
    func receive(_ bytes: UnsafeRawBufferPointer, _ exchange: Exchange) -> MHD_Result {
        exchange.event.bytesIn += bytes.count
        if exchange.event.parkedForRoomAt > 0 {
            // Time that the sink took is not the client's fault.
            exchange.event.bodyStart += Machine.milliseconds() - exchange.event.parkedForRoomAt
            exchange.event.parkedForRoomAt = 0
        }
        let earned = exchange.event.bytesIn * 1000 / max(1, limits.bytesPerSecondMin)
        // A gigabyte that came fast earns no hour of silence.
        exchange.connection.extend(
            to: min(
                exchange.event.bodyStart + Int(limits.headerSeconds * 1000) + earned,
                Machine.milliseconds() + Int(limits.idleSeconds * 1000)))
        switch exchange.event.stage {
        case .collect(let limit, _, _):
            if exchange.event.body.count + bytes.count > limit {
                return refuseMidway(
                    .failure(HTTPServer.tooLarge(limit), requestID: exchange.request?.id ?? "-"), exchange)
            }
            exchange.event.body.append(contentsOf: bytes)
        case .stream(let pump):
            switch pump.take(bytes) {
            case .more: break
            case .full:
                exchange.connection.extend(to: 0)
                exchange.event.parkedForRoomAt = Machine.milliseconds()
                if !exchange.awaitRoom(pump) { return .NO }
            case .refused(let response): return refuseMidway(response, exchange)
            }
        default: break
        }
        return .YES
    }

    /// The request is complete, or its parked connection was resumed.
    func advance(_ exchange: Exchange) -> MHD_Result {
        switch exchange.event.stage {
        case .fresh, .answered: return .YES
        case .discard(let response): return queue(response, exchange, refusing: false)
        case .collect(_, let lane, let then):
            let body = exchange.event.body
            exchange.event.body = []
            guard let request = exchange.request else { return .NO }
            enterWaiting(exchange)
            var responder: Responder? = exchange.makeResponder()
            if lane == .event {
                if let responder { then(request, body, responder) }
                responder = nil
                return proceed(exchange)
            }
            let result = proceed(exchange)
            guard let made = responder.take() else { return result }
            let accepted = pool(lane).submit { then(request, body, made) }
            if !accepted { exchange.deliver(.failure(HTTPServer.busy, requestID: request.id)) }
            return result
        case .stream(let pump):
            enterWaiting(exchange)
            let responder = exchange.makeResponder()
            let result = proceed(exchange)
            pump.end(responder)
            return result
        case .upgrade(let handler, let accept): return upgrade(exchange, handler, accept)
        case .waiting: return proceed(exchange)
        }
    }

    private func enterWaiting(_ exchange: Exchange) {
        exchange.event.stage = .waiting
        exchange.connection.enter(.working, deadline: Machine.milliseconds() + Int(limits.answerSeconds * 1000))
    }

    /// Queues the answer, or parks until there is one.
    private func proceed(_ exchange: Exchange) -> MHD_Result {
        switch exchange.awaitAnswer() {
        case .answer(let answer): queue(answer, exchange)
        case .parked: .YES
        case .gone: .NO
        }
    }

    // MARK: Answering

    /// Answers before the body; the connection is closed after it.
    private func refuse(_ error: HTTPError, _ exchange: Exchange, _ headers: Headers = [:]) -> MHD_Result {
        var response = Response.failure(error, requestID: exchange.request?.id ?? "-")
        for field in headers { response.headers.add(field.name, field.value) }
        return queue(response, exchange, refusing: true)
    }

    private func queue(_ response: Response, _ exchange: Exchange, refusing: Bool) -> MHD_Result {
        if refusing { exchange.connection.lingerAfterClose() }
        exchange.deliver(response)
        return proceed(exchange)
    }

    private func queue(_ answer: Answer, _ exchange: Exchange) -> MHD_Result {
        exchange.event.stage = .answered
        exchange.event.status = answer.status
        exchange.event.length = answer.length
        if isDraining { answer.add("Connection", "close") }
        var deadline = 0
        if let length = answer.length {
            deadline = Machine.milliseconds() + Int(limits.idleSeconds * 1000)
            deadline += length * 1000 / max(1, limits.bytesPerSecondMin)
        }
        exchange.connection.enter(.answering, deadline: deadline)
        return MHD_queue_response(exchange.mhd.pointer, UInt32(answer.status), answer.pointer)
    }

    /// Answers in the middle of a body, which MHD cannot: our bytes go straight to the socket, on which nothing else is
    /// being sent, and the connection is closed.
    private func refuseMidway(_ response: Response, _ exchange: Exchange) -> MHD_Result {
        exchange.event.status = response.status.code
        let (bytes, length) = HTTPServer.lastWords(response, requestID: exchange.request?.id ?? "-")
        exchange.event.length = length
        exchange.connection.lingerAfterClose()
        if options.tls == nil {
            _ = send(exchange.connection.descriptor, bytes, bytes.count, Int32(MSG_NOSIGNAL | MSG_DONTWAIT))
        } else {
            SecureWords.send(bytes, exchange.mhd.pointer)
        }
        return .NO
    }

    // MARK: Upgrading

    private func upgrade(_ exchange: Exchange, _ handler: any WebSocketHandler, _ accept: String) -> MHD_Result {
        let response = MHD_create_response_for_upgrade(
            { context, _, slot, extra, extraCount, socket, handle in
                guard let slot, let handle else { return }
                let exchange = Unmanaged<Exchange>.fromOpaque(slot).takeUnretainedValue()
                let rest = Array(UnsafeRawBufferPointer(start: extra, count: extra == nil ? 0 : extraCount))
                HTTPServer.server(context).upgraded(exchange, socket, handle, rest)
            }, Unmanaged.passUnretained(self).toOpaque())
        guard let response else { return .NO }
        defer { MHD_destroy_response(response) }
        MHD_add_response_header(response, "Upgrade", "websocket")
        MHD_add_response_header(response, "Sec-WebSocket-Accept", accept)
        MHD_add_response_header(response, "X-Request-ID", exchange.request?.id ?? "-")
        exchange.event.stage = .upgrade(handler, accept: accept)
        exchange.event.status = 101
        exchange.connection.enter(.answering, deadline: Machine.milliseconds() + Int(limits.headerSeconds * 1000))
        return MHD_queue_response(exchange.mhd.pointer, 101, response)
    }

    /// The socket is ours now, and the loop's.
    private func upgraded(_ exchange: Exchange, _ socket: Int32, _ handle: OpaquePointer, _ rest: [UInt8]) {
        guard case .upgrade(let handler, _) = exchange.event.stage, let request = exchange.request else { return }
        exchange.event.isUpgraded = true
        exchange.connection.enter(.upgraded, deadline: 0)
        exchange.connection.end(exchange)
        account(exchange, isComplete: true)
        loop.adopt(
            WebSocketPeer(
                connection: exchange.connection, descriptor: socket, handle: handle, received: rest, handler: handler,
                request: request,
                messageBytesMax: limits.webSocketMessageBytes, gauge: instruments.webSockets))
    }

    // MARK: Reading heads

    private static func headers(_ mhd: OpaquePointer) -> Headers {
        var fields: [Headers.Field] = []
        fields.reserveCapacity(12)
        withUnsafeMutablePointer(to: &fields) { pointer in
            _ = MHD_get_connection_values_n(
                mhd, .HEADER_KIND,
                { context, _, name, nameSize, value, valueSize in
                    let fields = context!.assumingMemoryBound(to: [Headers.Field].self)
                    let text = { (start: UnsafePointer<CChar>?, count: Int) in
                        String(
                            decoding: UnsafeRawBufferPointer(start: start, count: start == nil ? 0 : count),
                            as: UTF8.self)
                    }
                    fields.pointee.append(Headers.Field(text(name, nameSize), text(value, valueSize)))
                    return .YES
                }, pointer)
        }
        return Headers(fields)
    }

    private static func tooLarge(_ limit: Int) -> HTTPError {
        HTTPError(
            .contentTooLarge, "body_too_large",
            "The request body is larger than \(limit) bytes, the limit of this route.",
            remedy: "Send it in smaller pieces.")
    }

    private static let busy = HTTPError(
        .unavailable, "busy", "The server has more work waiting than it may hold.", remedy: "Try again in a moment.")
}
