"""`python -m trainyard` is the command line."""

from trainyard.cli import app

if __name__ == "__main__":
    app()
