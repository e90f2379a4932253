import MartletDomain
import MartletStorage

/// A run's documents as they lie in `run_doc`: columns by ascending name id, so that one key is found without
/// decoding the rest, and a document of 1,500 keys spells none of them.
///
/// A section is a count, the ids as differences, the column of kinds where there is one, the lengths, then all texts
/// end to end.
enum RunDocument {
    enum Kind: Int64, CaseIterable {
        case attributes = 0
        case summary = 1
        case latest = 2
    }

    static func id(_ kind: Kind, of run: RunKey) -> Int64 { run.raw << 2 | kind.rawValue }

    /// Keyed by name id, ascending.
    typealias Column<Value> = [(id: Int64, value: Value)]

    struct Attributes {
        var params: Column<ParamValue> = []
        var tags: Column<TagValue> = []
        var properties: Column<String> = []
    }

    private static let version: UInt8 = 1

    static func encode(_ attributes: Attributes) -> [UInt8] {
        var out = DocumentWriter(version: version)
        out.put(ids: attributes.params)
        for (_, param) in attributes.params { out.put(param.kind.rawValue) }
        for (_, param) in attributes.params { out.put(param.text.utf8.count) }
        for (_, param) in attributes.params { out.put(utf8: param.text) }
        out.put(ids: attributes.tags)
        // One more than the length; 0 is a tag without a value.
        for (_, tag) in attributes.tags { out.put(tag.map { $0.utf8.count + 1 } ?? 0) }
        for (_, tag) in attributes.tags { out.put(utf8: tag ?? "") }
        out.put(ids: attributes.properties)
        for (_, text) in attributes.properties { out.put(text.utf8.count) }
        for (_, text) in attributes.properties { out.put(utf8: text) }
        return out.sealed()
    }

    static func attributes(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Attributes {
        var reader = try DocumentReader(bytes, version: version, "document of attributes")
        var found = Attributes()

        let params = try reader.ids()
        var kinds: [ParamValue.Kind] = []
        kinds.reserveCapacity(params.count)
        found.params.reserveCapacity(params.count)
        for _ in params {
            let raw = try reader.byte()
            guard let kind = ParamValue.Kind(rawValue: raw) else { throw .damaged("A param has the kind \(raw).") }
            kinds.append(kind)
        }
        let paramLengths = try reader.lengths(params.count)
        for (place, id) in params.enumerated() {
            let text = try reader.text(paramLengths[place])
            found.params.append((id, ParamValue(text: text, kind: kinds[place])))
        }

        let tags = try reader.ids()
        let tagLengths = try reader.lengths(tags.count)
        found.tags.reserveCapacity(tags.count)
        for (place, id) in tags.enumerated() {
            found.tags.append((id, tagLengths[place] == 0 ? nil : try reader.text(tagLengths[place] - 1)))
        }

        let properties = try reader.ids()
        let propertyLengths = try reader.lengths(properties.count)
        found.properties.reserveCapacity(properties.count)
        for (place, id) in properties.enumerated() {
            found.properties.append((id, try reader.text(propertyLengths[place])))
        }
        try reader.finish()
        return found
    }

    static func encode(_ summary: Column<SummaryValue>) -> [UInt8] {
        var out = DocumentWriter(version: version)
        out.put(ids: summary)
        for (_, entry) in summary { out.put(entry.value) }
        var before: Int64 = 0
        for (_, entry) in summary {
            out.put(signed: entry.time.micros &- before)
            before = entry.time.micros
        }
        return out.sealed()
    }

    static func summary(_ bytes: UnsafeRawBufferPointer) throws(StorageError) -> Column<SummaryValue> {
        var reader = try DocumentReader(bytes, version: version, "document of a summary")
        let ids = try reader.ids()
        var values: [Double] = []
        for _ in ids { values.append(try reader.double()) }
        var found: Column<SummaryValue> = []
        var time: Int64 = 0
        for (place, id) in ids.enumerated() {
            time &+= try reader.signed()
            found.append((id, SummaryValue(value: values[place], time: Timestamp(micros: time))))
        }
        try reader.finish()
        return found
    }
}

extension DocumentWriter {
    fileprivate mutating func put<Value>(ids column: RunDocument.Column<Value>) {
        put(column.count)
        var before: Int64 = 0
        for (id, _) in column {
            put(UInt64(bitPattern: id &- before))
            before = id
        }
    }
}

extension DocumentReader {
    fileprivate mutating func ids() throws(StorageError) -> [Int64] {
        let count = try count()
        var ids: [Int64] = []
        ids.reserveCapacity(count)
        var id: Int64 = 0
        for _ in 0..<count {
            let step = try number()
            let (next, overflow) = id.addingReportingOverflow(Int64(truncatingIfNeeded: step))
            guard step > 0, step <= UInt64(Int64.max), !overflow else {
                throw .damaged("A document's keys are not in order.")
            }
            id = next
            ids.append(id)
        }
        return ids
    }

    fileprivate mutating func lengths(_ count: Int) throws(StorageError) -> [Int] {
        var lengths: [Int] = []
        lengths.reserveCapacity(count)
        for _ in 0..<count {
            let length = try number()
            guard length <= UInt64(remaining) + 1 else { throw truncated }
            lengths.append(Int(length))
        }
        return lengths
    }
}
