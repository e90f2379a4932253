import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Synchronization

// Uploads in parts, as MLflow's clients send large files when they are told to: the parts go to signed addresses, wait
// in the store's staging, and become one artifact when the client says that all of them are there.
extension MLflowAPI {
    /// How long the address of a part is good: many parts over a slow line take their time.
    private static let partSeconds: Int64 = 6 * 3600

    static let partEndpoints: [Endpoint] =
        steps("create") { call, message throws(Refusal) in try createUpload(call, message) }
        + steps("complete") { call, message throws(Refusal) in try completeUpload(call, message) }
        + steps("abort") { call, message throws(Refusal) in
            let (staging, path) = try destination(call, message)
            let upload = try knownUpload(call, message, path)
            staging.remove(upload)
            call.respond(.json(Call.empty))
        } + [
            Endpoint(
                .put, SignedAddress.root + "/parts/{upload}/{number}", .upload { call in PartIntake(call) })
        ]

    private static let unsupported = MLflowFailure.notImplemented(
        "Multipart upload is not supported for the current artifact repository")

    /// With a folder in the address, or without one for the root.
    private static func steps(
        _ step: String, _ body: @escaping @Sendable (Call, Message) throws(Refusal) -> Void
    ) -> [Endpoint] {
        ["2.0/mlflow-artifacts/mpu/\(step)", "2.0/mlflow-artifacts/mpu/\(step)/{…path}"].map { path in
            Endpoint(
                .post, path,
                .slowChange { call, bytes throws(Refusal) in
                    // Its clients go on with a plain upload when they read this.
                    guard call.api.staging != nil else { return call.respond(unsupported) }
                    try body(call, try Message(call.request, bytes))
                })
        }
    }

    /// The path in the proxy. The client names the file as it lies at home, and only its last step counts.
    private static func destination(
        _ call: Call, _ message: Message
    ) throws(Refusal) -> (staging: PartStaging, path: String) {
        guard let staging = call.api.staging else { throw SafePath.invalid }
        let named = try message.required("path")
        guard let name = named.split(separator: "/").last else { throw SafePath.invalid }
        let path = try SafePath.checked(SafePath.join(call["path"], String(name)))
        _ = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            try ArtifactTarget.proxied(path, .write, call, reader)
        }
        return (staging, path)
    }

    private static func createUpload(_ call: Call, _ message: Message) throws(Refusal) {
        let (staging, path) = try destination(call, message)
        let count = try message.integer("num_parts") ?? 1
        guard (1...Int64(PartStaging.partsMax)).contains(count) else {
            throw .mlflow("num_parts must be between 1 and \(PartStaging.partsMax) (got \(count)).")
        }
        let by = try call.caller().principal
        let expires = call.engine.clock.now.millis / 1000 + partSeconds
        call.api.signing.ready { result in
            do throws(Refusal) {
                let signer = try result.get()
                let upload = try staging.begin()
                var writer = JSONWriter(capacity: Int(count) * 320)
                writer.object { writer in
                    // Bound to its place: parts that were sent for one file cannot be put together as another.
                    writer.member("upload_id", upload + signer.sign(["upload", upload, path]).prefix(32))
                    writer.array("credentials") { writer in
                        for number in 1...Int(count) {
                            let address = SignedAddress(
                                method: .put, thing: .part(upload: upload, number: number), expires: expires, by: by)
                            writer.object { writer in
                                writer.member("url", address.url(signer, from: call.request, call.api.publicPlace))
                                writer.member("part_number", number)
                                writer.object("headers") { _ in }
                            }
                        }
                    }
                }
                call.respond(.json(writer.bytes))
            } catch {
                call.fail(error)
            }
        }
    }

    private static func knownUpload(_ call: Call, _ message: Message, _ path: String) throws(Refusal) -> String {
        let id = try message.required("upload_id")
        let upload = String(id.prefix(32))
        guard let signer = try call.api.signing.signer(),
            MessageCode.isEqual(
                Array(id.utf8), Array("\(upload)\(signer.sign(["upload", upload, path]).prefix(32))".utf8))
        else { throw .mlflow("There is no upload '\(id.prefix(80))' of '\(path)'.", .notFound) }
        return upload
    }

    private static func completeUpload(_ call: Call, _ message: Message) throws(Refusal) {
        let (staging, path) = try destination(call, message)
        let upload = try knownUpload(call, message, path)
        var parts: [PartStaging.Part] = []
        for (index, part) in try message.messages("parts").enumerated() {
            guard let number = try part.integer("part_number") else { throw .missing("parts[\(index)].part_number") }
            let tag = try part.required("etag").filter { $0 != "\"" }
            parts.append(PartStaging.Part(number: Int(clamping: number), tag: tag))
        }
        guard !parts.isEmpty else { throw .missing("parts") }
        let target = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            try ArtifactTarget.proxied(path, .write, call, reader)
        }
        let deposit = try ArtifactDeposit.begin(target, size: nil, call)
        do throws(Refusal) {
            try staging.assemble(parts, of: upload) { bytes throws(Refusal) in try deposit.write(bytes) }
            try deposit.keep(at: target, call) { result in
                switch result {
                case .success:
                    // Gone before the client hears of it, so that it never sees the parts of what it has finished.
                    staging.remove(upload)
                    call.respond(.json(Call.empty))
                case .failure(let error): call.fail(error)
                }
            }
        } catch {
            deposit.abort()
            throw error
        }
    }
}

/// One part on its way in, to an address that was signed for it.
private final class PartIntake: BodySink {
    private let call: Call
    private let part = Mutex<PartUpload?>(nil)

    init(_ call: Call) { self.call = call }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        do throws(Refusal) {
            try begin().write(bytes)
            return nil
        } catch {
            abort()
            return call.failure(error)
        }
    }

    func finish(_ responder: Responder) {
        call.attach(responder)
        do throws(Refusal) {
            let tag = try begin().finish().tag
            var response = Response(.ok)
            response.headers["ETag"] = "\"\(tag)\""
            call.respond(response)
        } catch {
            abort()
            call.fail(error)
        }
    }

    func abort() { part.withLock { $0.take() }?.abort() }

    private func begin() throws(Refusal) -> PartUpload {
        if let known = part.withLock({ $0 }) { return known }
        let upload = call["upload"]
        guard let number = Int(call["number"]), let staging = call.api.staging else { throw SafePath.invalid }
        _ = try SignedAddress.opened(call, .part(upload: upload, number: number))
        let made = try staging.begin(number, of: upload)
        part.withLock { $0 = made }
        return made
    }
}
