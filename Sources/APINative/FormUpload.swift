import MartletArtifacts
import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage
import Synchronization

/// Files on their way in as parts of a form: `file` (once or more often), and `path`, `type` and `metadata` as texts,
/// before or after the file.
///
/// One file goes to `path`, or to its own name; several go under `path` as a folder. The lock makes it Sendable: a body's
/// pieces come one at a time, but not from one thread.
final class FormUpload: BodySink {
    private struct State {
        var parser: MultipartParser?
        var target: UploadTarget?
        /// The part that is being read.
        var upload: (any BlobUpload)?
        var filename = ""
        var field: (name: String, value: [UInt8])?
        var files: [(name: String, blob: FinishedBlob)] = []
        var fields: [String: String] = [:]
        var isOver = false
    }

    private static let fieldBytesMax = 1 << 20
    private let exchange: Exchange
    private let state = Mutex(State())

    init(_ exchange: Exchange) { self.exchange = exchange }

    func write(_ bytes: UnsafeRawBufferPointer) -> Response? {
        let refused = state.withLock { state -> Refused? in
            do {
                try feed(bytes, &state)
                return nil
            } catch {
                FormUpload.letGo(&state)
                return Refused(error)
            }
        }
        return refused?.response(exchange)
    }

    func finish(_ responder: Responder) {
        exchange.attach(responder)
        let result = state.withLock { state -> Result<(UploadTarget, [UploadedFile], Bool), Refused> in
            do {
                try begin(&state)
                try state.parser?.finish()
                guard let target = state.target else { throw noFile() }
                return .success((target, try files(state), state.files.count > 1))
            } catch {
                FormUpload.letGo(&state)
                return .failure(Refused(error))
            }
        }
        switch result {
        case .success(let (target, files, isList)):
            do throws(Refusal) { try target.keep(files, asList: isList, exchange) } catch { exchange.fail(error) }
        case .failure(let refused): exchange.respond(refused.response(exchange))
        }
    }

    func abort() { state.withLock { FormUpload.letGo(&$0) } }

    /// Either of the two kinds of errors that a form can run into.
    private struct Refused: Error {
        var error: any Error
        init(_ error: any Error) { self.error = error }

        func response(_ exchange: Exchange) -> Response {
            if let refusal = error as? Refusal { return exchange.failure(refusal) }
            if let error = error as? HTTPError { return .failure(error, requestID: exchange.request.id) }
            return exchange.failure(
                Refusal(.malformed, "The form cannot be read.", remedy: "Send it as `curl -F file=@path` does."))
        }
    }

    private static func letGo(_ state: inout State) {
        state.upload?.abort()
        state.upload = nil
        state.isOver = true
    }

    private func begin(_ state: inout State) throws {
        guard state.parser == nil else { return }
        state.target = try UploadTarget(exchange)
        state.parser = try MultipartParser(exchange.request.contentType)
    }

    private func feed(_ bytes: UnsafeRawBufferPointer, _ state: inout State) throws {
        guard !state.isOver else { return }
        try begin(&state)
        guard var parser = state.parser else { return }
        // Taken out while it runs, since its events change the rest of the state.
        state.parser = nil
        try parser.feed(bytes) { event in try take(event, &state) }
        state.parser = parser
    }

    private func take(_ event: MultipartParser.Event, _ state: inout State) throws {
        switch event {
        case .part(let part):
            if part.filename != nil || part.name == "file" {
                state.filename = part.filename ?? ""
                state.upload = try exchange.api.blobs.begin()
            } else {
                state.field = (part.name, [])
            }
        case .data(let data):
            if let upload = state.upload {
                let outcome = data.withUnsafeBytes { bytes in Result { () throws(Refusal) in try upload.write(bytes) } }
                try outcome.get()
            } else if let field = state.field {
                guard field.value.count + data.count <= FormUpload.fieldBytesMax else {
                    throw Refusal(
                        .tooLarge, "The form's field “\(field.name.prefix(40))” is larger than 1 MiB.",
                        remedy: "Send what is large as a file.", field: field.name)
                }
                state.field?.value += data
            }
        case .endOfPart:
            if let upload = state.upload {
                state.upload = nil
                state.files.append((state.filename, try upload.finish(now: exchange.engine.clock.now)))
            } else if let field = state.field {
                state.field = nil
                guard let text = String(validating: field.value, as: UTF8.self) else {
                    throw Refusal(
                        .malformed, "The form's field “\(field.name.prefix(40))” is not UTF-8.",
                        remedy: "Send texts in UTF-8.", field: field.name)
                }
                if state.fields.count < 100 { state.fields[field.name] = text }
            }
        case .end: break
        }
    }

    private func noFile() -> Refusal {
        Refusal(
            .invalid, "The form holds no file.", remedy: "Send one under “file”, as `curl -F file=@model.pkl` does.",
            field: "file")
    }

    private func files(_ state: State) throws(Refusal) -> [UploadedFile] {
        guard !state.files.isEmpty else { throw noFile() }
        let path = state.fields["path"].flatMap { $0.isEmpty ? nil : $0 } ?? ""
        var metadata = "{}"
        if let text = state.fields["metadata"], !text.isEmpty {
            do { metadata = String(decoding: try encoded(JSONValue(parsing: text)), as: UTF8.self) } catch {
                throw Refusal(
                    .invalid, "“metadata” is not JSON: \(error.message)", remedy: error.remedy, field: "metadata")
            }
        }
        var files: [UploadedFile] = []
        for (name, blob) in state.files {
            var place = path
            if place.isEmpty {
                place = name
            } else if state.files.count > 1 || place.hasSuffix("/") {
                place += (place.hasSuffix("/") ? "" : "/") + name
            }
            files.append(
                UploadedFile(path: place, type: state.fields["type"] ?? "", metadata: metadata, blob: blob))
        }
        return files
    }

    private func encoded(_ value: JSONValue) -> [UInt8] {
        var writer = JSONWriter()
        writer.value(value)
        return writer.bytes
    }
}
