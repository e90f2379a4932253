// A client of the native API, for whatever asks a store: the command line, and programs through the SDK. A backend
// carries requests to a server, or to a folder that is opened in this process: the same requests, the same answers.
//
// Which store is meant is one rule (`StorePlace`), and so is what a user keeps for all of them (`UserFiles`). Words of
// a command line, and the environment, are left to those who call.
package import MartletHTTPClient
package import MartletHTTPMessages

package protocol Backend: Sendable {
    /// The server's address, or the folder's absolute path.
    var place: String { get }
    /// Sends a request whose `url` is a target such as `/api/v1/runs`, and waits for its answer, whatever its status.
    func send(_ request: ClientRequest) throws(ClientFailure) -> BackendAnswer
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
