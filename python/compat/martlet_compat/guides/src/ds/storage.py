from martlet_compat._storage import FileSystemStorage, StorageBackend

__all__ = ["FileSystemStorage", "StorageBackend"]
