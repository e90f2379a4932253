import MartletDomain
import MartletHTTPMessages
import MartletJSON

/// A refusal in the words of MLflow's clients: they raise by `error_code`, show `message`, and retry 5xx and 429 for
/// minutes, so nothing that a client sent wrong is either.
enum MLflowFailure {
    static func response(_ error: Refusal) -> Response {
        let (code, status) = meaning(of: error)
        let message = error.remedy.isEmpty ? error.message : "\(error.message) \(error.remedy)"
        var response = response(code, message, status)
        switch error.code {
        case .busy: response.headers.add("Retry-After", "1")
        case .locked: response.headers.add("Retry-After", "5")
        case .unauthenticated: response.headers.add("WWW-Authenticate", "Basic realm=\"martlet\"")
        default: break
        }
        return response
    }

    static func response(_ code: String, _ message: String, _ status: MartletHTTPMessages.Status) -> Response {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("error_code", code)
            writer.member("message", message)
        }
        return .json(writer.bytes, status: status)
    }

    static func notImplemented(_ message: String) -> Response { response("NOT_IMPLEMENTED", message, .notImplemented) }

    static func wrongMethod(_ method: Method, allowed: [String]) -> Response {
        var refused = response(
            "ENDPOINT_NOT_FOUND", "\(method) is not possible here; use \(allowed.joined(separator: ", ")).",
            .methodNotAllowed)
        refused.headers.add("Allow", allowed.joined(separator: ", "))
        return refused
    }

    private static func meaning(of error: Refusal) -> (code: String, status: MartletHTTPMessages.Status) {
        switch error.code {
        case .notFound, .purged: ("RESOURCE_DOES_NOT_EXIST", .notFound)
        case .conflict: ("RESOURCE_ALREADY_EXISTS", .badRequest)
        case .invalid, .malformed, .ambiguous, .limit, .tooSlow, .unsupported, .outOfOrder:
            ("INVALID_PARAMETER_VALUE", .badRequest)
        case .tooLarge: ("INVALID_PARAMETER_VALUE", .contentTooLarge)
        case .busy: ("REQUEST_LIMIT_EXCEEDED", .tooManyRequests)
        case .locked, .closed: ("TEMPORARILY_UNAVAILABLE", .unavailable)
        case .full: ("RESOURCE_EXHAUSTED", .insufficientStorage)
        case .readOnly, .forbidden: ("PERMISSION_DENIED", .forbidden)
        case .unauthenticated: ("UNAUTHENTICATED", .unauthorized)
        default: ("INTERNAL_ERROR", .internalError)
        }
    }
}

// What MLflow itself says: its clients and their users match on these words, so they stand alone, without a remedy.
extension Refusal {
    static func mlflow(_ message: String, _ code: Code = .invalid) -> Refusal { Refusal(code, message, remedy: "") }

    static func missing(_ parameter: String) -> Refusal {
        .mlflow(
            "Missing value for required parameter '\(parameter)'. See the API docs for more information about request parameters."
        )
    }

    static func wrongType(_ parameter: String, _ value: JSONValue) -> Refusal {
        wrongValue(
            parameter, value,
            " Hint: Value was of type '\(value.pythonType)'. See the API docs for more information about request parameters."
        )
    }

    static func wrongValue(_ parameter: String, _ value: JSONValue, _ why: String) -> Refusal {
        .mlflow("Invalid value \(value.text) for parameter '\(parameter)' supplied: \(why)")
    }

    static func tooLong(_ what: String, _ limit: Int) -> Refusal {
        .mlflow("'\(what)' exceeds the maximum length of \(limit) characters")
    }

    static func noRun(_ id: String) -> Refusal { .mlflow("Run with id=\(id) not found", .notFound) }

    static func noExperiment(_ id: String) -> Refusal {
        .mlflow("No Experiment with id=\(id) exists", .notFound)
    }
}

extension JSONValue {
    var pythonType: String {
        switch self {
        case .null: "NoneType"
        case .bool: "bool"
        case .int: "int"
        case .double: "float"
        case .string: "str"
        case .array: "list"
        case .object: "dict"
        }
    }
}
