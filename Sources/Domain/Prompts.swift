/// A prompt is a registered model with a tag, as MLflow's clients keep it: its text is a tag of each version.
package enum PromptTags {
    package static let isPrompt = "mlflow.prompt.is_prompt"
    package static let text = "mlflow.prompt.text"
    package static let type = "_mlflow_prompt_type"
}

extension RegisteredModel {
    package var isPrompt: Bool { (tags[PromptTags.isPrompt] ?? nil)?.lowercased() == "true" }
}
