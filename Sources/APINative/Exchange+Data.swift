import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletStorage

// What the routes of data read from requests, beside what every route reads.
extension Exchange {
    /// Refuses a body that says it is no JSON; one that says nothing is taken for it.
    func requireJSON() throws(Refusal) {
        guard let type = request.contentType?.essence, type != "application/json", !type.hasSuffix("+json"),
            type != "text/plain", type != "application/x-www-form-urlencoded"
        else { return }
        throw Refusal(
            .unsupported, "The body is \(type.prefix(60)), not JSON.",
            remedy: "Send it with Content-Type: application/json.", field: "Content-Type")
    }

    /// The run that the address names, for a caller who may read it.
    func readableRun(_ reader: any StoreReader, by caller: Caller) throws(Refusal) -> Run {
        try engine.readable(self["run"], by: caller, reader)
    }

    /// The run that the address names, for a caller who may write to it.
    func writableRun(
        _ ledger: Ledger, by caller: Caller, _ strictness: ReferenceStrictness = .any
    ) throws(Refusal) -> Run {
        try engine.writable(self["run"], by: caller, ledger, strictness)
    }

    func readableExperiment(_ reader: any StoreReader, by caller: Caller) throws(Refusal) -> Experiment {
        let experiment = try reader.resolveExperiment(self["experiment"], for: caller)
        try caller.require(.read, on: experiment.project)
        return experiment
    }

    var wantsCSV: Bool { request.accept.names("text/csv") }
    var wantsEvents: Bool { request.accept.names("text/event-stream") }

    /// A moment of the query, ISO 8601 or epoch milliseconds.
    func time(_ name: String) throws(Refusal) -> Timestamp? {
        guard let text = query(name), !text.isEmpty else { return nil }
        if let time = Timestamp(iso: text) { return time }
        if let millis = Int64(text) { return Timestamp(millis: millis) }
        if let millis = Double(text), millis.magnitude < 9e15 {
            return Timestamp(micros: Int64((millis * 1000).rounded()))
        }
        throw Refusal(
            .malformed, "“\(text.prefix(40))” is no time.",
            remedy: "Send ISO 8601, such as \(name)=2024-01-15T10:30:00Z, or epoch milliseconds.", field: name)
    }

    /// Seconds of the query, as microseconds.
    func seconds(_ name: String) throws(Refusal) -> Int64? {
        guard let text = query(name), !text.isEmpty else { return nil }
        guard let seconds = Double(text), seconds.magnitude < 9e12 else {
            throw Refusal(
                .malformed, "“\(text.prefix(40))” is no number of seconds.", remedy: "Send \(name)=60 or the like.",
                field: name)
        }
        return Int64((seconds * 1e6).rounded())
    }

    /// A range of steps, both ends included.
    func steps() throws(Refusal) -> PointRange {
        PointRange(from: try integer("from") ?? .min, to: try integer("to") ?? .max)
    }

    /// A page token of ours, in its parts, the last of which may be any text; nil when there is none.
    func pageToken(parts: Int) throws(Refusal) -> [String]? {
        guard let token = query("page_token"), !token.isEmpty else { return nil }
        let found = token.split(separator: "~", maxSplits: parts - 1, omittingEmptySubsequences: false)
            .map(String.init)
        guard found.count == parts else { throw wrongPageToken() }
        return found
    }

    func wrongPageToken() -> Refusal {
        Refusal(
            .invalid, "The page token “\((query("page_token") ?? "").prefix(40))” is not one of this route's.",
            remedy: "Send the next_page_token of the last page as it is, with the same other parameters.",
            field: "page_token")
    }
}

extension JSONWriter {
    /// `next_page_token`: null on the last page.
    mutating func nextPage(_ token: String?) { text("next_page_token", token) }
}
