extension NativeAPI {
    static let sessionCookie = "martlet_session"

    /// Every route there is, by subject.
    static let all: [Route] =
        projectRoutes + experimentRoutes + metricDefinitionRoutes
        + runRoutes + runLifeRoutes + runRecordRoutes + noteRoutes + factRoutes
        + accessRoutes + auditRoutes + aboutRoutes
        + dataRoutes + modelRoutes + modelVersionRoutes + loggedModelRoutes + webhookRoutes
        + comparisonRoutes + storageRoutes + graphRoutes + pinRoutes
}
