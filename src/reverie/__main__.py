"""`python -m reverie`: the command line."""

from reverie.cli import run

if __name__ == "__main__":
    run()
