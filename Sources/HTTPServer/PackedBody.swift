import MartletCompression
import MartletHTTPMessages

/// How far a packed request body may unfold. A few kilobytes of gzip can be gigabytes of zeros.
struct UnpackingRules {
    /// In memory at once; a stream of any length is allowed.
    var bytesMax: Int
    var ratioMax: Int
    /// Small bodies of one repeated character are no attack.
    static let freeBytes = 1 << 20

    func allowsRatio(_ decoder: Decoder) -> Bool {
        decoder.bytesOut <= max(UnpackingRules.freeBytes, decoder.bytesIn * ratioMax)
    }
}

/// Request bodies that are packed by gzip, deflate or zstd: whoever handles the request sees plain bytes.
enum PackedBody {
    /// What a client is told that sent another coding (RFC 9110, 12.5.3).
    static let spoken = ContentCoding.allCases.map(\.rawValue).joined(separator: ", ")

    /// What a head says of its body's packing; empty when it is plain.
    static func codings(_ headers: Headers) -> [String] {
        headers.all("content-encoding").filter { !$0.isEmpty && !asciiCaseInsensitiveEqual($0, "identity") }
    }

    /// How the body is packed, nil if it is not. One coding at a time: two are never sent in good faith.
    static func coding(_ headers: Headers) throws(HTTPError) -> ContentCoding? {
        let names = codings(headers)
        guard let name = names.first else { return nil }
        if names.count == 1, let coding = ContentCoding(name: name) { return coding }
        throw HTTPError(
            .unsupportedMediaType, "unsupported_encoding",
            "Request bodies with Content-Encoding “\(names.joined(separator: ", ").prefix(40))” are not accepted.",
            remedy: "Pack the body with one of gzip, deflate and zstd, or send it plain.")
    }

    /// The head that a handler sees: of the plain body, whose length nobody knows yet.
    static func plain(_ request: Request) -> Request {
        var request = request
        request.headers["Content-Encoding"] = nil
        request.headers["Content-Length"] = nil
        return request
    }

    /// A body that was collected.
    static func unpacked(
        _ bytes: [UInt8], _ coding: ContentCoding, _ rules: UnpackingRules
    ) throws(HTTPError) -> [UInt8] {
        var out: [UInt8] = []
        var refusal: HTTPError?
        do throws(CompressionFault) {
            let decoder = try Decoder(coding)
            var fault: CompressionFault?
            bytes.withUnsafeBytes { bytes in
                do throws(CompressionFault) {
                    _ = try decoder.decode(bytes) { piece in
                        if decoder.bytesOut > rules.bytesMax {
                            refusal = PackedBody.tooLarge(rules.bytesMax)
                        } else if !rules.allowsRatio(decoder) {
                            refusal = PackedBody.tooDense(coding, rules)
                        } else {
                            out.append(contentsOf: piece)
                        }
                        return refusal == nil
                    }
                } catch { fault = error }
            }
            if let fault { throw fault }
            if refusal == nil { try decoder.finish() }
        } catch {
            throw PackedBody.error(error, coding)
        }
        if let refusal { throw refusal }
        return out
    }

    /// Work on a collected body, which unpacks it first, on the work's own lane.
    static func unpacking(
        _ coding: ContentCoding, _ rules: UnpackingRules,
        _ work: @escaping @Sendable (Request, [UInt8], Responder) -> Void
    ) -> @Sendable (Request, [UInt8], Responder) -> Void {
        { request, bytes, responder in
            do throws(HTTPError) {
                work(plain(request), try unpacked(bytes, coding, rules), responder)
            } catch {
                responder.respond(error)
            }
        }
    }

    static func error(_ fault: CompressionFault, _ coding: ContentCoding) -> HTTPError {
        switch fault {
        case .damaged:
            HTTPError(
                .badRequest, "bad_encoding",
                "The body is not what Content-Encoding: \(coding.rawValue) says, or damaged.",
                remedy: "Pack it again, or send it plain.")
        case .cutShort:
            HTTPError(
                .badRequest, "bad_encoding", "The body ends in the middle of its \(coding.rawValue) stream.",
                remedy: "Send it whole.")
        case .noMemory:
            HTTPError(
                .unavailable, "out_of_resources", "There is no memory to unpack the body.",
                remedy: "Try again in a moment.")
        }
    }

    static func tooLarge(_ limit: Int) -> HTTPError {
        HTTPError(
            .contentTooLarge, "body_too_large", "The request body unpacks to more than \(limit) bytes, the limit here.",
            remedy: "Send it in smaller pieces.")
    }

    static func tooDense(_ coding: ContentCoding, _ rules: UnpackingRules) -> HTTPError {
        HTTPError(
            .contentTooLarge, "body_too_dense",
            "The request body unpacks to more than \(rules.ratioMax) times its size, the limit for \(coding.rawValue).",
            remedy: "Send it plain.")
    }
}

/// Unpacks an upload on its way to the sink that wants it plain. Called as every sink is: one call at a time.
final class UnpackingSink: BodySink, @unchecked Sendable {
    private let sink: any BodySink
    private let coding: ContentCoding
    private let rules: UnpackingRules
    private let requestID: String
    private let decoder: Decoder

    init(_ sink: any BodySink, _ coding: ContentCoding, _ rules: UnpackingRules, requestID: String) throws(HTTPError) {
        do throws(CompressionFault) { decoder = try Decoder(coding) } catch { throw PackedBody.error(error, coding) }
        (self.sink, self.coding, self.rules, self.requestID) = (sink, coding, rules, requestID)
    }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        var answer: Response?
        do throws(CompressionFault) {
            _ = try decoder.decode(bytes) { piece in
                if rules.allowsRatio(decoder) {
                    answer = sink.write(piece)
                } else {
                    answer = refuse(PackedBody.tooDense(coding, rules))
                }
                return answer == nil
            }
        } catch {
            answer = refuse(PackedBody.error(error, coding))
        }
        return answer
    }

    func finish(_ responder: Responder) {
        do throws(CompressionFault) { try decoder.finish() } catch {
            responder.respond(refuse(PackedBody.error(error, coding)))
            return
        }
        sink.finish(responder)
    }

    func abort() { sink.abort() }

    /// The sink hears no more.
    private func refuse(_ error: HTTPError) -> Response {
        sink.abort()
        return .failure(error, requestID: requestID)
    }
}
