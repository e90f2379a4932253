from martlet_compat._registry import ModelRegistry, ModelVersion

__all__ = ["ModelRegistry", "ModelVersion"]
