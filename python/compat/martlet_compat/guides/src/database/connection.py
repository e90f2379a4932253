from martlet_compat._connection import Connection, get_db_connection

__all__ = ["Connection", "get_db_connection"]
