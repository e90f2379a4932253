import MartletDomain
import MartletHTTPMessages
import MartletJSON

/// A refusal as every native route answers it.
enum Failure {
    static func response(_ error: Refusal, requestID: String) -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.object("error") { writer in
                writer.member("code", code(error))
                writer.member("message", error.message)
                writer.member("remedy", error.remedy)
                if let field = error.field { writer.member("field", field) }
                if let column = error.column { writer.member("column", column) }
                if let expected = error.expected { writer.member("expected", expected) }
                if !error.candidates.isEmpty {
                    writer.array("candidates") { writer in
                        for candidate in error.candidates { writer.string(candidate) }
                    }
                }
                writer.member("request_id", requestID)
            }
            // A logbook's writer looks for this at the top.
            if let expected = error.expected { writer.member("expected", expected) }
        }
        var response = Response.json(writer.bytes, status: status(error))
        switch error.code {
        case .busy: response.headers.add("Retry-After", "1")
        case .locked: response.headers.add("Retry-After", "5")
        case .unauthenticated: response.headers.add("WWW-Authenticate", "Bearer realm=\"martlet\"")
        default: break
        }
        return response
    }

    /// 400 not parsable, 404 absent, 409 conflict, 422 understood but wrong; never 500 for what a client sent.
    static func status(_ error: Refusal) -> MartletHTTPMessages.Status {
        switch error.code {
        case .notFound, .purged: .notFound
        case .conflict, .ambiguous, .outOfOrder: .conflict
        case .invalid, .limit, .tooSlow: .unprocessable
        case .malformed: .badRequest
        case .tooLarge: .contentTooLarge
        case .busy: .tooManyRequests
        case .locked, .closed: .unavailable
        case .full: .insufficientStorage
        case .readOnly, .forbidden: .forbidden
        case .unauthenticated: .unauthorized
        case .unsupported: .unsupportedMediaType
        default: .internalError
        }
    }

    private static func code(_ error: Refusal) -> String {
        var out = ""
        for character in error.code.word {
            if character.isUppercase { out += "_" }
            out += character.lowercased()
        }
        return out
    }
}

extension Refusal {
    init(malformed error: JSONError) {
        self.init(
            .malformed, "The body is not valid JSON: \(error.message) (line \(error.line), column \(error.column))",
            remedy: error.remedy, column: error.column)
    }
}
