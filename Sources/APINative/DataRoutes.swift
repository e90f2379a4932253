extension NativeAPI {
    /// The routes of what runs record: numbers, values, files, lines; and of what is asked about many runs at once.
    static let dataRoutes: [Route] =
        metricRoutes + historyRoutes + curveRoutes + columnRoutes + richRoutes + artifactRoutes + namedArtifactRoutes
        + lineageRoutes + logbookRoutes + searchRoutes + tableRoutes + streamRoutes + dashboardRoutes
}

extension RouteDoc {
    /// A body of another type beside those that are listed.
    func taking(_ type: String, _ schema: String) -> RouteDoc {
        var doc = self
        doc.body.append((type, schema))
        return doc
    }

    /// The same answers in another type.
    func answering(_ type: String, _ schema: String) -> RouteDoc {
        var doc = self
        doc.answers = doc.answers.map { ($0.status, $0.description, $0.status == 304 ? nil : type, schema) }
        return doc
    }
}
