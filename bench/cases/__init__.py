"""One file a benchmark: its docstring says what it asks and how; `measure(setting)` answers."""
