import MartletDomain
import MartletEngine
import MartletHTTPMessages
import MartletJSON
import MartletSearch
import MartletStorage

// Models and versions by a filter, in order, a page at a time.
extension MLflowAPI {
    static let registrySearchEndpoints: [Endpoint] = [
        .read(.get, "2.0/mlflow/registered-models/search") { call, message throws(Refusal) in
            try searchModels(call, message)
        },
        .read(.get, "2.0/mlflow/model-versions/search") { call, message throws(Refusal) in
            try searchVersions(call, message)
        },
    ]

    private static func searchModels(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let orderBy = try message.texts("order_by")
        var request = RegistryRequest()
        request.limitMax = 1000
        request.limit = try message.maxResults(standard: 100, atMost: request.limitMax)
        request.query = try RegistryQuery.models(filter: try message.text("filter") ?? "", orderBy: orderBy)
        let page = try call.registryPage(request, message) { request, caller throws(Refusal) in
            try call.engine.searchModels(request, by: caller)
        }
        let latest = try call.engine.read { (reader: any StoreReader) throws(Refusal) in
            try page.documents.map { document throws(Refusal) in try reader.latestVersions(of: document.model) }
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    if !page.documents.isEmpty {
                        writer.array("registered_models") { writer in
                            for (document, latest) in zip(page.documents, latest) {
                                writer.registeredModel(document.model, latest: latest)
                            }
                        }
                    }
                    if let next = page.nextPageToken { writer.member("next_page_token", next) }
                }
            })
    }

    private static func searchVersions(_ call: Call, _ message: Message) throws(Refusal) -> Response {
        let orderBy = try message.texts("order_by")
        var request = RegistryRequest()
        request.limitMax = 200_000
        request.limit = try message.maxResults(standard: request.limitMax, atMost: request.limitMax)
        request.query = try RegistryQuery.versions(filter: try message.text("filter") ?? "", orderBy: orderBy)
        request.ties = RegistryQuery.versionTies(orderBy: orderBy)
        let page = try call.registryPage(request, message) { request, caller throws(Refusal) in
            try call.engine.searchModelVersions(request, by: caller)
        }
        return .json(
            try encoded { writer in
                writer.object { writer in
                    if !page.documents.isEmpty {
                        writer.array("model_versions") { writer in
                            for document in page.documents {
                                writer.modelVersion(document.version, of: document.model, showsAliases: false)
                            }
                        }
                    }
                    if let next = page.nextPageToken { writer.member("next_page_token", next) }
                }
            })
    }
}

extension Call {
    /// A page of the project that the client sees; what is wrong with its token is said in MLflow's words.
    func registryPage<Document>(
        _ request: RegistryRequest, _ message: Message,
        _ search: (RegistryRequest, Caller) throws(Refusal) -> RegistryPage<Document>
    ) throws(Refusal) -> RegistryPage<Document> {
        let caller = try caller()
        var request = request
        let project = try engine.read { (reader: any StoreReader) throws(Refusal) -> Project in
            try self.project(reader)
        }
        request.project = "id:\(project.id)"
        request.pageToken = try message.text("page_token")
        do throws(Refusal) {
            return try search(request, caller)
        } catch {
            guard error.field == "page_token" else { throw error }
            throw .mlflow("Invalid page token, could not base64-decode: it is damaged or belongs to another search.")
        }
    }
}
