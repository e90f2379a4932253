// A command is a client of the native API. A backend carries its requests to a server, or to a folder that is opened
// in this process: the same requests, the same answers, so that a command prints the same of both.
package import MartletHTTPClient
package import MartletHTTPMessages

package protocol Backend: Sendable {
    /// The server's address, or the folder's absolute path.
    var place: String { get }
    /// Sends a request whose `url` is a target such as `/api/v1/runs`, and waits for its answer, whatever its status.
    func send(_ request: ClientRequest) throws(CommandFailure) -> BackendAnswer
    func close()
}

package struct BackendAnswer: Sendable {
    package var status: Status
    package var headers: Headers
    /// Empty when the body went into a file.
    package var body: [UInt8]

    package init(status: Status, headers: Headers = Headers(), body: [UInt8] = []) {
        (self.status, self.headers, self.body) = (status, headers, body)
    }
}
