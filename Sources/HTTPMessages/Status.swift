/// An answer's status code.
package struct Status: Hashable, Sendable, ExpressibleByIntegerLiteral, CustomStringConvertible {
    package let code: Int

    package init(_ code: Int) { self.code = code }
    package init(integerLiteral code: Int) { self.code = code }

    package static let ok: Status = 200
    package static let created: Status = 201
    package static let accepted: Status = 202
    package static let noContent: Status = 204
    package static let partialContent: Status = 206
    package static let seeOther: Status = 303
    package static let notModified: Status = 304
    package static let permanentRedirect: Status = 308
    package static let badRequest: Status = 400
    package static let unauthorized: Status = 401
    package static let forbidden: Status = 403
    package static let notFound: Status = 404
    package static let methodNotAllowed: Status = 405
    package static let requestTimeout: Status = 408
    package static let conflict: Status = 409
    package static let preconditionFailed: Status = 412
    package static let contentTooLarge: Status = 413
    package static let unsupportedMediaType: Status = 415
    package static let rangeNotSatisfiable: Status = 416
    package static let unprocessable: Status = 422
    package static let upgradeRequired: Status = 426
    package static let tooManyRequests: Status = 429
    package static let headersTooLarge: Status = 431
    package static let internalError: Status = 500
    package static let notImplemented: Status = 501
    package static let unavailable: Status = 503
    package static let insufficientStorage: Status = 507

    package var isSuccess: Bool { (200..<300).contains(code) }
    package var description: String { String(code) }
}
