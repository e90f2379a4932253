import CCurl
import Glibc
import MartletHTTPMessages

/// One exchange with curl: the callbacks' state. Lives on the caller's stack frame and is touched by its thread alone.
final class Transfer {
    private let request: ClientRequest
    private let url: CheckedURL
    private let settings: HTTPClient.Settings
    private var upload: Int32 = -1
    private var uploadLength = 0
    private var uploadOffset = 0
    private var download: Int32 = -1
    private var curl: UnsafeMutableRawPointer?
    /// Where curl says more than its code does. It must not move while curl knows it.
    private let words = UnsafeMutablePointer<CChar>.allocate(capacity: Int(CURL_ERROR_SIZE))
    /// Curl reads it while the transfer goes on.
    private var route: UnsafeMutablePointer<curl_slist>?
    private var isUnpacking = false

    private var headers = Headers()
    private var body: [UInt8] = []
    /// What went wrong in a callback; curl only knows that one gave up.
    private var failure: ClientError?

    init(_ request: ClientRequest, _ url: CheckedURL, _ settings: HTTPClient.Settings) throws(ClientError) {
        self.request = request
        self.url = url
        self.settings = settings
        switch request.body {
        case .none: break
        case .bytes(let bytes): uploadLength = bytes.count
        case .file(let path):
            upload = open(path, O_RDONLY | O_CLOEXEC)
            var status = stat()
            guard upload >= 0, fstat(upload, &status) == 0, status.st_mode & S_IFMT == S_IFREG else {
                throw ClientError(.file, "The file \(path) cannot be read.", remedy: "Check its name and permissions.")
            }
            uploadLength = Int(status.st_size)
        }
    }

    deinit {
        words.deallocate()
        if upload >= 0 { close(upload) }
        if download >= 0 { close(download) }
        curl_slist_free_all(route)
    }

    func perform(_ curl: UnsafeMutableRawPointer) throws(ClientError) -> ClientResponse {
        self.curl = curl
        let list = configure(curl)
        defer {
            curl_slist_free_all(list)
            // The handle is used again, and this object is not.
            martlet_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, nil)
        }
        let code = curl_easy_perform(curl)
        if let failure { throw failure }
        guard code == CURLE_OK else { throw error(code) }
        // An empty body calls nobody back, and still is a file.
        if (200..<300).contains(martlet_curl_status(curl)) { _ = receive(UnsafeRawBufferPointer(start: nil, count: 0)) }
        if let failure { throw failure }
        if download >= 0, close(download) != 0 {
            download = -1
            throw ClientError(.file, "The file could not be written to its end.", remedy: "Check the free space.")
        }
        download = -1
        if isUnpacking, headers.contains("content-encoding") {
            // They are of the packed body, and the caller has the plain one.
            headers["Content-Encoding"] = nil
            headers["Content-Length"] = nil
        }
        return ClientResponse(status: Status(martlet_curl_status(curl)), headers: headers, body: body)
    }

    private func configure(_ curl: UnsafeMutableRawPointer) -> UnsafeMutablePointer<curl_slist>? {
        let me = Unmanaged.passUnretained(self).toOpaque()
        words[0] = 0
        martlet_curl_set_pointer(curl, CURLOPT_ERRORBUFFER, words)
        martlet_curl_set_text(curl, CURLOPT_URL, url.text)
        martlet_curl_set_text(curl, CURLOPT_PROTOCOLS_STR, "http,https")
        martlet_curl_set_number(curl, CURLOPT_FOLLOWLOCATION, 0)
        martlet_curl_set_number(curl, CURLOPT_NOSIGNAL, 1)
        martlet_curl_set_number(curl, CURLOPT_TCP_NODELAY, 1)
        martlet_curl_set_number(curl, CURLOPT_HTTP_VERSION, Int(CURL_HTTP_VERSION_1_1))
        martlet_curl_set_number(curl, CURLOPT_CONNECTTIMEOUT_MS, Int(settings.connectSeconds * 1000))
        if let seconds = request.totalSeconds ?? settings.totalSeconds {
            martlet_curl_set_number(curl, CURLOPT_TIMEOUT_MS, max(1, Int(seconds * 1000)))
        }
        martlet_curl_set_number(curl, CURLOPT_LOW_SPEED_LIMIT, 1)
        martlet_curl_set_number(curl, CURLOPT_LOW_SPEED_TIME, settings.stallSeconds)
        // Whatever curl can unpack. A download into a file keeps its length for the progress, and its bytes as they are.
        if case .memory = request.destination, !request.headers.contains("accept-encoding") {
            martlet_curl_set_text(curl, CURLOPT_ACCEPT_ENCODING, "")
            isUnpacking = true
        }
        martlet_curl_set_text(curl, CURLOPT_USERAGENT, settings.userAgent)
        if let path = settings.certificateAuthorities ?? SystemAuthorities.file() {
            martlet_curl_set_text(curl, CURLOPT_CAINFO, path)
        }
        martlet_curl_set_transfer(curl, CURLOPT_WRITEFUNCTION) { bytes, size, count, me in
            Transfer.from(me).receive(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        martlet_curl_set_pointer(curl, CURLOPT_WRITEDATA, me)
        martlet_curl_set_transfer(curl, CURLOPT_HEADERFUNCTION) { bytes, size, count, me in
            Transfer.from(me).receiveHeader(UnsafeRawBufferPointer(start: bytes, count: size * count))
        }
        martlet_curl_set_pointer(curl, CURLOPT_HEADERDATA, me)
        if request.progress != nil {
            martlet_curl_set_number(curl, CURLOPT_NOPROGRESS, 0)
            martlet_curl_set_progress(curl) { me, total, now, uploadTotal, uploadNow in
                Transfer.from(me).tell(Int(now), Int(total), Int(uploadNow), Int(uploadTotal))
            }
            martlet_curl_set_pointer(curl, CURLOPT_XFERINFODATA, me)
        }
        var list: UnsafeMutablePointer<curl_slist>?
        for field in request.headers where Transfer.isSendable(field) {
            // An empty value needs a semicolon; with a colon curl would take the header away.
            list = curl_slist_append(list, field.value.isEmpty ? "\(field.name);" : "\(field.name): \(field.value)")
        }
        if let address = request.onlyAddress {
            // An empty host and port: whatever the URL says.
            route = curl_slist_append(nil, "::\(address):")
            martlet_curl_set_pointer(curl, CURLOPT_CONNECT_TO, route)
            martlet_curl_set_text(curl, CURLOPT_PROXY, "")
            martlet_curl_set_number(curl, CURLOPT_FRESH_CONNECT, 1)
            martlet_curl_set_number(curl, CURLOPT_FORBID_REUSE, 1)
        }
        if !request.headers.contains("expect") { list = curl_slist_append(list, "Expect:") }
        configureMethod(curl, me)
        martlet_curl_set_pointer(curl, CURLOPT_HTTPHEADER, list)
        return list
    }

    private func configureMethod(_ curl: UnsafeMutableRawPointer, _ me: UnsafeMutableRawPointer) {
        switch request.body {
        case .none:
            if request.method == .head {
                martlet_curl_set_number(curl, CURLOPT_NOBODY, 1)
            } else if request.method == .post || request.method == .put || request.method == .patch {
                martlet_curl_set_number(curl, CURLOPT_POST, 1)
                martlet_curl_set_size(curl, CURLOPT_POSTFIELDSIZE_LARGE, 0)
                martlet_curl_set_text(curl, CURLOPT_COPYPOSTFIELDS, "")
            }
        case .bytes, .file:
            martlet_curl_set_number(curl, CURLOPT_UPLOAD, 1)
            martlet_curl_set_size(curl, CURLOPT_INFILESIZE_LARGE, Int(uploadLength))
            martlet_curl_set_number(curl, CURLOPT_UPLOAD_BUFFERSIZE, 512 * 1024)
            martlet_curl_set_transfer(curl, CURLOPT_READFUNCTION) { target, size, count, me in
                Transfer.from(me).produce(UnsafeMutableRawBufferPointer(start: target, count: size * count))
            }
            martlet_curl_set_pointer(curl, CURLOPT_READDATA, me)
        }
        if request.method != .head { martlet_curl_set_text(curl, CURLOPT_CUSTOMREQUEST, request.method.rawValue) }
    }

    private static func from(_ pointer: UnsafeMutableRawPointer?) -> Transfer {
        Unmanaged<Transfer>.fromOpaque(pointer!).takeUnretainedValue()
    }

    /// A line end in a value would begin a header of the value's own.
    private static func isSendable(_ field: Headers.Field) -> Bool {
        !field.name.isEmpty && !(field.name + field.value).utf8.contains { $0 < 0x20 && $0 != 0x09 || $0 == 0x7F }
    }

    // MARK: Callbacks

    private func produce(_ target: UnsafeMutableRawBufferPointer) -> Int {
        switch request.body {
        case .none: return 0
        case .bytes(let bytes):
            let take = min(target.count, bytes.count - uploadOffset)
            bytes.withUnsafeBytes {
                target.copyMemory(from: UnsafeRawBufferPointer(rebasing: $0[uploadOffset..<(uploadOffset + take)]))
            }
            uploadOffset += take
            return take
        case .file(let path):
            let count = pread(upload, target.baseAddress, target.count, uploadOffset)
            if count < 0 || count == 0 && uploadOffset < uploadLength {
                failure = ClientError(
                    .file, "The file \(path) changed or could not be read while it was sent.", remedy: "Send it again.")
                return Int(CURL_READFUNC_ABORT)
            }
            uploadOffset += count
            return count
        }
    }

    private func receiveHeader(_ bytes: UnsafeRawBufferPointer) -> Int {
        let line = String(decoding: bytes, as: UTF8.self)
        if line.hasPrefix("HTTP/") {
            // An interim answer's head (100 Continue) is followed by another.
            headers = Headers()
        } else if let colon = line.utf8.firstIndex(of: UInt8(ascii: ":")) {
            let isSpace = { (byte: UInt8) in byte <= 0x20 }
            let value = line.utf8[line.utf8.index(after: colon)...].drop(while: isSpace)
            let end = value.lastIndex { !isSpace($0) }.map { value.index(after: $0) } ?? value.startIndex
            headers.add(String(line[..<colon]), String(Substring(value[..<end])))
        }
        return bytes.count
    }

    private func receive(_ bytes: UnsafeRawBufferPointer) -> Int {
        if case .file(let path) = request.destination, let curl, (200..<300).contains(martlet_curl_status(curl)) {
            if download < 0 { download = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o644) }
            var done = 0
            while download >= 0, done < bytes.count {
                let count = write(download, bytes.baseAddress! + done, bytes.count - done)
                if count < 0 && errno == EINTR { continue }
                if count <= 0 { break }
                done += count
            }
            if download < 0 || done < bytes.count {
                failure = ClientError(
                    .file, "The file \(path) cannot be written.", remedy: "Check its folder and the free space.")
            }
            return done
        }
        guard body.count + bytes.count <= settings.bodyBytesMax else {
            failure = ClientError(
                .tooLarge, "The answer of \(url.host) is larger than \(settings.bodyBytesMax) bytes.",
                remedy: "Download it into a file.")
            return 0
        }
        body.append(contentsOf: bytes)
        return bytes.count
    }

    private func tell(_ now: Int, _ total: Int, _ uploadNow: Int, _ uploadTotal: Int) -> Int32 {
        let goOn =
            uploadTotal > 0 && now == 0 ? request.progress?(uploadNow, uploadTotal) : request.progress?(now, total)
        if goOn != false { return 0 }
        failure = ClientError(.cancelled, "The transfer was stopped.", remedy: "Start it again when you want it.")
        return 1
    }

    private func error(_ code: CURLcode) -> ClientError {
        let more = String(cString: self.words)
        let words = more.isEmpty ? String(cString: curl_easy_strerror(code)) : more
        let place = "\(url.scheme)://\(url.host):\(url.port)"
        switch code {
        case CURLE_COULDNT_RESOLVE_HOST:
            return ClientError(
                .unreachable, "There is no host “\(url.host)”.", remedy: "Check the address for a typing mistake.")
        case CURLE_COULDNT_CONNECT:
            return ClientError(
                .unreachable, "Nothing answers at \(place).",
                remedy: "Start the server there, or check the address and port.")
        case CURLE_OPERATION_TIMEDOUT:
            return ClientError(.timeout, "\(place) did not answer in time.", remedy: "Try again, or allow more time.")
        case CURLE_PEER_FAILED_VERIFICATION, CURLE_SSL_CACERT_BADFILE:
            return ClientError(
                .untrusted, "The certificate of \(place) is not trusted: \(words).",
                remedy: "Check the certificate of that server.")
        case CURLE_SSL_CONNECT_ERROR, CURLE_SSL_CERTPROBLEM:
            return ClientError(
                .tls, "The TLS connection to \(place) failed: \(words).",
                remedy: "Check whether that server speaks https, or plain http://\(url.host):\(url.port).")
        // Writing is ours, and ours has not failed: curl's own unpacking has.
        case CURLE_BAD_CONTENT_ENCODING, CURLE_WRITE_ERROR:
            return ClientError(
                .protocolViolation, "The answer of \(place) is packed in a way that cannot be unpacked.",
                remedy: "Look for a proxy on the way that changes answers.")
        default:
            return ClientError(.noConnection, "The exchange with \(place) broke: \(words).", remedy: "Try again.")
        }
    }
}
