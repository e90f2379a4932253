package import MartletDomain
package import MartletJSON
import MartletSeries

// How datasets for evaluation and their records lie on cards: a record hangs on its dataset's card.

extension EvaluationDataset {
    package static let kind = "evaluation-dataset"

    var asCard: Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("name", name)
            writer.texts("tags", tags)
            if !experiments.isEmpty { writer.member("experiments", experiments.map(\.raw)) }
            writer.some("schema", schema)
            writer.member("records", records)
            writer.member("revised", revised.micros)
            writer.some("created_by", createdBy)
            writer.some("updated_by", updatedBy)
        }
        return Card(
            id: card, kind: Self.kind, project: project, key: id, created: created, updated: updated, data: writer.text)
    }

    package init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        var experiments: [ExperimentID] = []
        for value in try fields.list("experiments") {
            guard let number = value.int64 else { throw fields.damaged("experiments") }
            experiments.append(ExperimentID(number))
        }
        self.init(
            card: card.id, id: card.key, project: card.project, name: try fields.text("name"),
            tags: try fields.texts("tags"), experiments: experiments, schema: try fields.text("schema"),
            records: Int(try fields.integer("records")), revised: Timestamp(micros: try fields.integer("revised")),
            createdBy: try fields.text("created_by"), updatedBy: try fields.text("updated_by"), created: card.created,
            updated: card.updated)
    }

    /// Eight digits that change whenever its records are written.
    package var digest: String {
        let sum = Array("\(name):\(revised.micros)".utf8).withUnsafeBytes { crc32c($0) }
        let digits = String(sum, radix: 16)
        return String(repeating: "0", count: 8 - digits.utf8.count) + digits
    }
}

/// One example of a dataset for evaluation.
package struct EvaluationRecord: Equatable, Sendable {
    /// Given by the store.
    package var card: Int64
    /// `dr-` and 32 hex digits, made of the inputs: equal inputs are one record.
    package var id: String
    package var inputs: JSONObject
    /// Any value; nil when it has none.
    package var outputs: JSONValue?
    package var expectations: JSONObject?
    package var tags: JSONObject
    /// Where it was taken from; nil when nobody said.
    package var source: JSONObject?
    package var createdBy: String
    package var updatedBy: String
    package var created: Timestamp
    package var updated: Timestamp

    static let kind = "evaluation-record"

    func asCard(of dataset: EvaluationDataset) -> Card {
        var writer = JSONWriter()
        writer.object { writer in
            writer.member("inputs", inputs)
            if let outputs { writer.member("outputs", outputs) }
            if let expectations { writer.member("expectations", expectations) }
            if !tags.isEmpty { writer.member("tags", tags) }
            if let source { writer.member("source", source) }
            writer.some("created_by", createdBy)
            writer.some("updated_by", updatedBy)
        }
        return Card(
            id: card, kind: Self.kind, project: dataset.project, owner: Card.owner(card: dataset.card), key: id,
            created: created, updated: updated, data: writer.text)
    }

    init(_ card: Card) throws(StorageError) {
        let fields = try CardFields(card)
        self.init(
            card: card.id, id: card.key, inputs: JSONObject(try fields.members("inputs")),
            outputs: fields.value("outputs"),
            expectations: fields.value("expectations") == nil ? nil : JSONObject(try fields.members("expectations")),
            tags: JSONObject(try fields.members("tags")),
            source: fields.value("source") == nil ? nil : JSONObject(try fields.members("source")),
            createdBy: try fields.text("created_by"), updatedBy: try fields.text("updated_by"), created: card.created,
            updated: card.updated)
    }

    init(
        card: Int64, id: String, inputs: JSONObject, outputs: JSONValue?, expectations: JSONObject?, tags: JSONObject,
        source: JSONObject?, createdBy: String, updatedBy: String, created: Timestamp, updated: Timestamp
    ) {
        (self.card, self.id, self.inputs, self.outputs) = (card, id, inputs, outputs)
        (self.expectations, self.tags, self.source) = (expectations, tags, source)
        (self.createdBy, self.updatedBy, self.created, self.updated) = (createdBy, updatedBy, created, updated)
    }
}

extension JSONObject {
    /// As JSON with its keys in order, all the way down: equal objects have equal texts.
    var canonicalText: String {
        var writer = JSONWriter()
        func write(_ value: JSONValue) {
            switch value {
            case .object(let object):
                writer.beginObject()
                for member in object.members.sorted(by: { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }) {
                    writer.key(dynamic: member.key)
                    write(member.value)
                }
                writer.endObject()
            case .array(let elements):
                writer.beginArray()
                for element in elements { write(element) }
                writer.endArray()
            default: writer.value(value)
            }
        }
        write(.object(self))
        return writer.text
    }
}

/// 128 bits made of a text (FNV-1a), for ids by which equal things find each other. Whoever uses one compares the things
/// themselves too: nothing here withstands someone who looks for two texts with one sum.
struct ContentSum {
    private static let offset = UInt128(0x6c62_272e_07bb_0142) << 64 | 0x62b8_2175_6295_c58d
    private static let prime = UInt128(1) << 88 | 0x13b

    let text: String

    init(_ content: String) {
        var sum = ContentSum.offset
        for byte in content.utf8 { sum = (sum ^ UInt128(byte)) &* ContentSum.prime }
        let digits = String(sum, radix: 16)
        text = String(repeating: "0", count: 32 - digits.utf8.count) + digits
    }
}
