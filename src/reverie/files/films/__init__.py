"""Films ↔ frames: decoded and written in processes that may die."""
