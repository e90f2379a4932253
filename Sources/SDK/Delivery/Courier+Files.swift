import Synchronization

/// The thread that uploads files.
extension Courier {
    func upload() -> Int {
        while let upload = desk.withLock({ $0.readyUpload }) {
            let outcome = upload.send(over: connection)
            switch outcome {
            case .away(let sentence):
                let failures = desk.withLock { desk in
                    desk.failures += 1
                    return desk.failures
                }
                tell("\(sentence) The file \(upload.name) waits, and is sent again.", isAway: true)
                ringBells()
                return Int(1000 * min(Courier.retrySecondsMax, 0.25 * Double(1 << min(failures, 6))))
            case .done: break
            case .refused(let sentence): lose(1, because: "The artifact \(upload.name) was not logged: \(sentence)")
            }
            desk.withLock { $0.uploads.removeAll { $0.ordinal == upload.ordinal } }
            if case .bytes(let bytes) = upload.source { intake.withLock { $0.uploadBytes -= bytes.count } }
            ringBells()
        }
        return 60_000
    }
}
